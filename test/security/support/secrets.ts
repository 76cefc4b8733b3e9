import { inspect } from 'node:util';
import { expect } from 'vitest';

/** Listens to what is logged and thrown, and knows what must be in none of it. */
export class Secrets {
  readonly #lines: string[] = [];
  readonly #secrets: readonly string[];
  /** Fits the loggers of all adapters. */
  readonly logger: Readonly<Record<'debug' | 'error' | 'info' | 'warn', (fields: object, message: string) => void>>;

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.flatMap((secret) => [
      secret,
      Buffer.from(secret).toString('base64'),
      encodeURIComponent(secret),
    ]);
    const keep = (fields: object, message: string): void => this.hear([message, fields]);
    this.logger = { debug: keep, info: keep, warn: keep, error: keep };
  }

  /** Keeps what a person could see of a value, an error with all its causes and fields among them. */
  hear(value: unknown): void {
    this.#lines.push(inspect(value, { depth: 12, maxStringLength: null, maxArrayLength: null }));
  }

  /** Fails if any of it holds a secret. */
  check(): void {
    for (const secret of this.#secrets) {
      expect(this.#lines.filter((line) => line.includes(secret))).toEqual([]);
    }
  }
}
