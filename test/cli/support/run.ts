import { Readable, Writable } from 'node:stream';
import { tollgate } from '../../../cli/commands/tollgate.ts';

/** What a call of the command gave. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** As if stderr were a terminal. */
  readonly terminal?: boolean;
  /** SIGINT comes so long after the begin. */
  readonly interruptAfterMs?: number;
  /** Called with each piece of stdout, and with what ends the call as SIGINT does. */
  readonly onOutput?: (text: string, interrupt: () => void) => void;
}

/** Runs `tollgate ARGS` in this process, with streams of its own. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const stdout = new Kept();
  const stderr = new Kept();
  const interrupts: (() => void)[] = [];
  const interrupt = (): void => interrupts.splice(0).forEach((listener) => void listener());
  stdout.onText = (text) => options.onOutput?.(text, interrupt);
  if (options.interruptAfterMs !== undefined) setTimeout(interrupt, options.interruptAfterMs);
  const code = await tollgate({
    argv: ['node', 'tollgate', ...args],
    env: options.env ?? {},
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout,
    stderr: Object.assign(stderr, { isTTY: options.terminal ?? false }),
    once: (signal, listener) => signal === 'SIGINT' && interrupts.push(listener),
    exit: (exitCode) => {
      throw new Error(`the command ended the process with ${exitCode}`);
    },
  });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Kept extends Writable {
  text = '';
  onText: (text: string) => void = () => undefined;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const text = chunk.toString('utf8');
    this.text += text;
    this.onText(text);
    done();
  }
}
