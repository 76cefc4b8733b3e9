import { appendFileSync, createReadStream, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

/** What the run is about to send, or what it was told: an event is in the log there, the door refused it, Kafka has a sample. */
export type Told =
  | readonly ['sending', ids: readonly string[]]
  | readonly ['accepted', id: string, partition: number, offset: number]
  | readonly ['refused', id: string | null, reason: string]
  | readonly ['sample', id: string];

/** All that a soak ever sent and was told, on disk before it goes on: it outlives the run. */
export interface Journal {
  note(told: readonly Told[]): void;
  read(): AsyncGenerator<Told>;
}

/** A journal's file, made if absent; a last line that was cut by a kill is taken off. */
export function openJournal(path: string): Journal {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path)) dropTornLine(path);
  return {
    note(told) {
      if (told.length > 0) appendFileSync(path, told.map((one) => `${JSON.stringify(one)}\n`).join(''));
    },
    async *read() {
      if (!existsSync(path)) return;
      for await (const line of createInterface({ input: createReadStream(path) })) {
        const told: Told = JSON.parse(line);
        yield told;
      }
    },
  };
}

function dropTornLine(path: string): void {
  const bytes = readFileSync(path);
  const whole = bytes.lastIndexOf(0x0a) + 1;
  if (whole < bytes.length) truncateSync(path, whole);
}
