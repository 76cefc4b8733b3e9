import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { type AccountRow, renderTable } from '../../cli/terminal/table.ts';

const plain = picocolors.createColors(false);
const NOW = 1_000_000_000;

const ROW: AccountRow = {
  id: 'ember-bio',
  shows: 'about to be paused; does not obey at once',
  balanceNanos: -470_000_000n,
  burnRateNanos: 19_920_000_000n,
  level: 'exhausted',
  last: { what: 'alert credits_exhausted', at: NOW - 72_000 },
  next: { what: 'pause ember-fold-1', at: NOW + 227_000 },
};

function render(columns: number, rows: readonly AccountRow[] = [ROW], rowsMax = 20): readonly string[] {
  return renderTable(rows, { columns, rowsMax, now: NOW, colors: plain }).split('\n');
}

function headsOf(columns: number): readonly string[] {
  return (render(columns)[1] ?? '')
    .split('│')
    .map((cell) => cell.trim())
    .filter((cell) => cell !== '');
}

describe('the table of accounts', () => {
  test.each([66, 70, 80, 90, 100, 120, 140, 160, 180, 200, 250])('is no wider than %s columns', (columns) => {
    for (const line of render(columns)) expect(line.length).toBeLessThanOrEqual(columns);
  });

  test('leaves out what has no room, the least important first', () => {
    const money = ['account', 'balance', 'burn/h', 'runway', 'level'];
    expect(headsOf(70)).toEqual(money);
    expect(headsOf(80)).toEqual([...money, 'last comma…']);
    expect(headsOf(120)).toEqual([...money, 'last command']);
    expect(headsOf(150)).toEqual([...money, 'last command', 'next, if nothing changes']);
    expect(headsOf(200)).toEqual(['account', 'shows', ...money.slice(1), 'last command', 'next, if nothing changes']);
  });

  test('tells balance, burn, runway, level, what came last and what comes next', () => {
    const line = render(200).find((text) => text.includes('ember-bio')) ?? '';
    for (const part of ['-$0.47', '$19.92', 'none', 'exhausted', '1m 12s ago', 'in 3m 47s'])
      expect(line).toContain(part);
  });

  test('N9: what is past its time and was not carried out is held', () => {
    const held = { ...ROW, next: { what: 'pause ember-fold-1', at: NOW } };
    expect(render(200, [held]).join('\n')).toContain('held        pause ember-fold-1');
  });

  test('counts the accounts for which there is no room', () => {
    const rows = Array.from({ length: 30 }, (_, index) => ({ ...ROW, id: `account-${index}` }));
    expect(render(120, rows, 12)).toHaveLength(16);
    expect(render(120, rows, 12).at(-1)).toBe('  and 18 more accounts');
  });

  test('colours nothing where colours are off', () => {
    expect(render(200).join('')).not.toContain('\x1b');
    const colorful = renderTable([ROW], { columns: 200, rowsMax: 5, now: NOW, colors: picocolors.createColors(true) });
    expect(colorful).toContain('\x1b[31mexhausted\x1b[39m');
  });

  test('hostile ids are text', () => {
    expect(render(120, [{ ...ROW, id: '__proto__' }]).join('\n')).toContain('__proto__');
  });
});
