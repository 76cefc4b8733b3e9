import { SingleBar } from 'cli-progress';
import type { World } from '../commands/world.ts';

/** How far a long command has come, for who watches it. */
export interface Progress {
  /** @param total what `done` goes up to; undefined: not known */
  readonly show: (done: number, total: number | undefined) => void;
  /** Writes a line to stderr, in place of the bar, which is drawn again below it. */
  readonly tell: (line: string) => void;
  readonly stop: () => void;
}

export interface ProgressOptions {
  /** What is being done. */
  readonly label: string;
  readonly unit: string;
}

const CLEAR_LINE = '\r\u001b[K';

/** A progress bar on stderr where that is a terminal; elsewhere only what is told. */
export function progressOn(stderr: World['stderr'], { label, unit }: ProgressOptions): Progress {
  if (stderr.isTTY !== true) {
    return { show: () => undefined, tell: (line) => void stderr.write(`${line}\n`), stop: () => undefined };
  }
  // The bar's own way to end with the process would take an interruption from the command that handles it.
  const options = { stream: stderr, clearOnComplete: true, gracefulExit: false, fps: 5 };
  const known = `${label} {bar} {percentage}% | {value}/{total} ${unit} | {duration_formatted}`;
  const unknown = `${label} | {value} ${unit} | {duration_formatted}`;
  let bar: { readonly drawn: SingleBar; readonly total: number | undefined } | undefined;
  return {
    show: (done, total) => {
      if (bar === undefined || bar.total !== total) {
        bar?.drawn.stop();
        bar = { drawn: new SingleBar({ ...options, format: total === undefined ? unknown : known }), total };
        bar.drawn.start(total ?? 0, done);
      }
      bar.drawn.update(done);
    },
    tell: (line) => void stderr.write(`${bar === undefined ? '' : CLEAR_LINE}${line}\n`),
    stop: () => bar?.drawn.stop(),
  };
}
