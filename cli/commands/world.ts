import type { Readable, Writable } from 'node:stream';

/** What a command may touch of the process it runs in; main.ts gives the real one, tests their own. */
export interface World {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly settings: Settings;
  /** What the environment says of a cluster; read by the commands that need it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The wall clock, integer ms. */
  readonly now: () => number;
  /** Asked for by commands that go on until the user ends them: aborted by SIGINT and SIGTERM from then on. */
  readonly interruption: () => AbortSignal;
}

/** What the environment sets. */
export interface Settings {
  /** `TOLLGATE_KEY`: an API key, for who does not want it in a list of processes. */
  readonly key: string | undefined;
  /** `TOLLGATE_LOG_LEVEL`. */
  readonly logLevel: string;
}

/** Writes a text and resolves once the stream has taken it, so that a slow reader slows the writer down. */
export function write(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (fault) => {
      if (fault === null || fault === undefined) resolve();
      else reject(fault);
    });
  });
}
