import { stripVTControlCharacters } from 'node:util';
import { logLine } from './log-line.ts';

/** What a screen needs of `process.stdout`. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_BELOW = '\x1b[J';
const CLEAR_ALL = '\x1b[2J\x1b[H';
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/**
 * A terminal with a block at its end that is drawn anew in place, and lines that scroll away above it. `write` takes a
 * logger's lines, so that it can be its destination.
 */
export class Screen {
  readonly #output: Output;
  /** The block that stands there now, and how many rows of the terminal it takes. */
  #block = '';
  #height = 0;
  #drawnColumns = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  get columns(): number {
    return this.#output.columns ?? DEFAULT_COLUMNS;
  }

  get rows(): number {
    return this.#output.rows ?? DEFAULT_ROWS;
  }

  /** Replaces the block. What does not fit above the last row of the terminal is cut off: it could not be drawn over. */
  draw(block: string): void {
    const lines = fitting(block.split('\n'), this.columns, this.rows - 1);
    const text = lines.length === 0 ? '' : `${lines.join('\n')}\n`;
    // A terminal that was made narrower or wider has broken the lines anew: nothing is where it was.
    const isResized = this.#height > 0 && this.columns !== this.#drawnColumns;
    this.#output.write(`${HIDE_CURSOR}${isResized ? CLEAR_ALL : this.#erasure()}${text}`);
    this.#drawnColumns = this.columns;
    this.#block = text;
    this.#height = heightOf(lines, this.columns);
  }

  /** Writes lines above the block. */
  print(text: string): void {
    this.#output.write(`${this.#erasure()}${text.endsWith('\n') ? text : `${text}\n`}${this.#block}`);
  }

  /** A logger's destination: its JSON becomes a line that people read. */
  write(json: string): void {
    this.print(logLine(json));
  }

  /** Leaves the block as it stands and gives the cursor back. */
  close(): void {
    if (this.#height > 0) this.#output.write(SHOW_CURSOR);
    this.#block = '';
    this.#height = 0;
  }

  #erasure(): string {
    return this.#height === 0 ? '' : `\x1b[${this.#height}A\r${CLEAR_BELOW}`;
  }
}

function fitting(lines: readonly string[], columns: number, rows: number): readonly string[] {
  let height = 0;
  const end = lines.findIndex((line) => {
    height += heightOf([line], columns);
    return height > rows;
  });
  return end < 0 ? lines : lines.slice(0, end);
}

/** A long line takes several rows. */
function heightOf(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)), 0);
}
