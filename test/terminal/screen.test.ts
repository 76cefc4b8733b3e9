import { describe, expect, test } from 'vitest';
import { helpLines } from '../../cli/terminal/help.ts';
import { logLine } from '../../cli/terminal/log-line.ts';
import { Screen } from '../../cli/terminal/screen.ts';

const ESC = '\x1b';
const CONTROLS = new RegExp(`(${ESC}\\[\\d*A|${ESC}\\[2?J|${ESC}\\[H|${ESC}\\[\\?25[lh]|\\r|\\n)`);
const UP = new RegExp(`^${ESC}\\[(\\d+)A$`);

/** A terminal of a few rows, as far as the screen uses one: text, line ends, cursor up, clear below, clear all. */
class FakeTerminal {
  readonly isTTY = true;
  columns = 20;
  rows = 8;
  lines: string[] = [''];

  write(text: string): void {
    const pieces = text.split(CONTROLS);
    for (const piece of pieces) this.#take(piece);
  }

  #take(piece: string): void {
    const up = UP.exec(piece);
    if (up !== null) this.#row = Math.max(0, this.#row - Number(up[1]));
    else if (piece === '\x1b[J') this.lines = [...this.lines.slice(0, this.#row), ''];
    else if (piece === '\x1b[2J') this.lines = [''];
    else if (piece === '\x1b[H') this.#row = 0;
    else if (piece === '\n') this.#newLine();
    else if (!piece.startsWith('\x1b') && piece !== '\r') this.#put(piece);
  }

  #row = 0;

  #put(text: string): void {
    let rest = text;
    while (rest.length > this.columns) {
      this.lines[this.#row] = rest.slice(0, this.columns);
      rest = rest.slice(this.columns);
      this.#newLine();
    }
    if (rest !== '') this.lines[this.#row] = rest;
  }

  #newLine(): void {
    this.#row += 1;
    this.lines[this.#row] ??= '';
  }
}

describe('the screen', () => {
  test('draws a block anew in place, and lines scroll away above it', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal);
    screen.print('first');
    screen.draw('one\ntwo');
    screen.print('second');
    screen.draw('three\nfour\nfive');
    screen.draw('six');
    expect(terminal.lines).toEqual(['first', 'second', 'six', '']);
  });

  test('a line that is wider than the terminal takes several rows of it', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal);
    screen.draw(`${'x'.repeat(45)}\nend`);
    screen.draw('after');
    expect(terminal.lines).toEqual(['after', '']);
  });

  test('what does not fit above the last row is cut off: it could not be drawn over', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal);
    screen.draw(Array.from({ length: 20 }, (_, index) => `${index}`).join('\n'));
    expect(terminal.lines).toHaveLength(terminal.rows);
    screen.draw('after');
    expect(terminal.lines).toEqual(['after', '']);
  });

  test('a terminal that was made narrower is drawn from scratch', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal);
    screen.draw('one\ntwo');
    terminal.columns = 10;
    screen.draw('three');
    expect(terminal.lines).toEqual(['three', '']);
  });

  test('the cursor comes back at the end', () => {
    const written: string[] = [];
    const screen = new Screen({ isTTY: true, write: (text) => written.push(text) });
    screen.draw('one');
    screen.close();
    expect(written.at(-1)).toBe('\x1b[?25h');
  });

  test('a logger writes lines that people read', () => {
    const terminal = new FakeTerminal();
    terminal.columns = 80;
    new Screen(terminal).write('{"level":40,"time":1,"partition":0,"why":"busy","msg":"a tick was not taken"}\n');
    expect(terminal.lines[0]).toBe('warning: a tick was not taken (partition 0, why busy)');
    expect(logLine('{"level":50,"err":{"message":"gone","stack":"..."},"msg":"it stopped"}')).toBe(
      'error: it stopped (err gone)',
    );
    expect(logLine('no JSON\n')).toBe('no JSON');
  });
});

test('the lines below the table name the key by its whole path, quoted where a shell wants it', () => {
  const lines = helpLines({
    url: 'http://127.0.0.1:1',
    keyPath: "/tmp/o'b c/operator.key",
    accountId: 'a',
    topUpId: 't1',
  });
  expect(lines[1]).toBe(`  export URL=http://127.0.0.1:1 KEY=$(cat '/tmp/o'\\''b c/operator.key')`);
  expect(lines.join('\n')).toContain('"type":"credits.granted","subject":"a"');
});
