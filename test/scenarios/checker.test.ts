import { describe, expect, test } from 'vitest';
import { pairUp, same } from './compare.ts';
import { evaluate } from './evaluate.ts';
import type { Facts, Output, Row } from './facts.ts';

/** A checker counts once it has caught a planted wrong output: each law and each kind of fact has one here. */

const resource = { kind: 'cluster', id: 'train' };
const output: Output = {
  rated: [line('c/acme/train/n1/0/0', '7.000000000', 'n1'), line('c/acme/train/n2/0/1', '5.000000000', 'n2')],
  ledger: [
    entry('2026-05-01T00:00:00.000Z', 'grant', '10.000000000', 'g1'),
    entry('2026-05-01T01:00:00.000Z', 'usage', '-7.000000000', 'agent/s1'),
    entry('2026-05-01T01:00:00.000Z', 'usage', '-5.000000000', 'agent/s2'),
  ],
  balances: [
    {
      account_id: 'acme',
      balance: '-2.000000000',
      granted: '10.000000000',
      refunded: '0.000000000',
      charged: '12.000000000',
      expired: '0.000000000',
      burn_rate: '12.000000000',
      level: 'exhausted',
    },
  ],
  commands: [
    {
      ...command('a1', 'alert', 1, '2026-05-01T01:00:00.000Z'),
      alert: 'credits_exhausted',
      resource: { kind: 'account', id: 'acme' },
      reason: 'credits_exhausted',
      detail: { actions: [{ resource, command: 'pause', scope: 'cluster', at: '2026-05-01T02:00:00.000Z' }] },
    },
    { ...command('p1', 'pause', 1, '2026-05-01T02:00:00.000Z'), resource, scope: 'cluster', notice_id: 'a1' },
    {
      ...command('p2', 'pause', 2, '2026-05-01T02:00:00.000Z'),
      resource,
      scope: 'cluster',
      notice_id: 'a1',
      attempt: 2,
    },
  ],
  rejected: [{ line: 9, reason: 'malformed', detail: 'not JSON', event: '{' }],
  invoices: [
    {
      account_id: 'acme',
      month: '2026-05',
      status: 'open',
      opening_balance: '0.000000000',
      granted: '10.000000000',
      refunded: '0.000000000',
      expired: '0.000000000',
      charges: '12.000000000',
      closing_balance: '-2.000000000',
      lines: [{ section: 'on_demand', sku: 'H100', amount: '12.000000000', unit_price: '3.000000' }],
    },
  ],
  summary: { events: 9, applied: 7, duplicates: 1, rejected: 1, clock: '2026-05-01T02:00:00.000Z' },
};

const alertTuple = ['2026-05-01T01:00:00.000Z', 'alert', 'credits_exhausted', 'account/acme', null, null, '*'];
const pauseTuple = ['2026-05-01T02:00:00.000Z', 'pause', null, 'cluster/train', 'cluster', null, '*', 1];
const repeatTuple = ['2026-05-01T02:00:00.000Z', 'pause', null, 'cluster/train', 'cluster', null, '*', 2];
const facts: Facts = {
  balances: { acme: { balance: '-2.000000000', level: { any: ['low', 'exhausted'] } } },
  rated_totals: [{ category: 'on_demand', quantity_ms: '7200000', amount: '12.000000000' }],
  rated_lines: [{ node_id: 'n2', line_n: 1, unit_price: '3', start: 1777593600000 }],
  rated_count: 2,
  ledger: {
    acme: [
      ['2026-05-01T00:00:00.000Z', 'grant', '10.000000000', 'g1'],
      ['2026-05-01T01:00:00.000Z', 'usage', '-5.000000000'],
      ['2026-05-01T01:00:00.000Z', 'usage', '*'],
    ],
  },
  ledger_sums: { acme: { usage: '-12.000000000' } },
  commands: { acme: [alertTuple, pauseTuple, repeatTuple] },
  commands_of: { acme: { kinds: ['pause'], list: [pauseTuple, repeatTuple] } },
  commands_absent: {
    acme: [
      ['revoke', '*'],
      ['pause', 'cluster/other'],
    ],
  },
  command_facts: [
    { is: alertTuple, account_id: 'acme', actions: [['pause', '2026-05-01T02:00:00.000Z', 'train']] },
    { is: pauseTuple, has: { resource }, notice: alertTuple },
  ],
  laws: true,
  unique_line_ids: true,
  rejected: [[9, 'malformed']],
  invoices: [
    { account_id: 'acme', month: '2026-05', charges: '12.000000000', lines: [{ sku: 'H100', unit_price: '3.00' }] },
    { account_id: 'acme', month: '2026-06', absent: true },
  ],
  summary: { events: 9, clock: '2026-05-01T02:00:00.000Z' },
};

test('a right output holds every kind of fact', () => {
  expect(evaluate(facts, output)).toEqual([]);
});

describe('a planted wrong fact is told', () => {
  const wrong: [name: string, facts: Facts, told: RegExp][] = [
    ['balance by a nano', { balances: { acme: { balance: '-2.000000001' } } }, /balances\[acme\]\.balance/],
    ['account that has none', { balances: { zeta: {} } }, /balances\[zeta\]: 0/],
    ['total by a nano', { rated_totals: [{ amount: '12.000000001' }] }, /amount expected/],
    ['total by a millisecond', { rated_totals: [{ quantity_ms: '7200001' }] }, /quantity_ms expected/],
    ['line that nothing expects', { rated_totals: [{ node_id: 'n1' }] }, /nothing expects.*n2/],
    ['line that is not there', { rated_lines: [{ node_id: 'n3' }] }, /no .*n3.*nearest differs in node_id/],
    ['one line for two', { rated_lines: [{ node_id: 'n1' }, { node_id: 'n1' }] }, /no .*n1/],
    ['number of the line', { rated_lines: [{ node_id: 'n2', line_n: 0 }] }, /line_n/],
    ['count', { rated_count: 3 }, /rated_count/],
    ['ledger: one too many', { ledger: { acme: [['*', 'grant', '*']] } }, /unexpected.*usage/],
    [
      'ledger: reference',
      {
        ledger: {
          acme: [
            ['*', 'grant', '*', 'g2'],
            ['*', 'usage', '*'],
            ['*', 'usage', '*'],
          ],
        },
      },
      /missing.*g2/,
    ],
    ['ledger sum', { ledger_sums: { acme: { usage: '-12.000000001' } } }, /ledger_sums/],
    ['command missing', { commands: { acme: [alertTuple, pauseTuple, repeatTuple, repeatTuple] } }, /missing/],
    ['command unexpected', { commands: { acme: [alertTuple, pauseTuple] } }, /unexpected/],
    ['commands of a kind', { commands_of: { acme: { kinds: ['pause'], list: [pauseTuple] } } }, /unexpected/],
    ['order at one instant', { commands: { acme: [alertTuple, repeatTuple, pauseTuple] } }, /must come before/],
    ['command that must not be', { commands_absent: { acme: [['pause', '*']] } }, /commands_absent/],
    [
      'alert that must not be',
      { commands_absent: { acme: [['credits_exhausted', 'account/acme']] } },
      /commands_absent/,
    ],
    ['field of a command', { command_facts: [{ is: pauseTuple, has: { reason: 'reserved' } }] }, /reason expected/],
    ['two commands alike', { command_facts: [{ is: ['*', 'pause'] }] }, /2 commands/],
    ['notice', { command_facts: [{ is: pauseTuple, notice: pauseTuple }] }, /notice_id should be/],
    ['action missing', { command_facts: [{ is: alertTuple, actions: [['revoke']] }] }, /missing \["revoke"\]/],
    ['action unexpected', { command_facts: [{ is: alertTuple, actions: [] }] }, /unexpected/],
    ['rejections', { rejected: [[9, 'unknown_type']] }, /rejected/],
    ['invoice field', { invoices: [{ account_id: 'acme', month: '2026-05', status: 'final' }] }, /status/],
    ['invoice line', { invoices: [{ account_id: 'acme', month: '2026-05', lines: [] }] }, /unexpected/],
    ['invoice that should not be', { invoices: [{ account_id: 'acme', month: '2026-05', absent: true }] }, /none/],
    ['summary', { summary: { applied: 8 } }, /summary\.applied/],
    ['equal balances', { equal_balances: [['acme', 'zeta']] }, /equal_balances/],
  ];
  test.each(wrong)('%s', (_, planted, told) => {
    expect(evaluate(planted, output).join('\n')).toMatch(told);
  });
});

describe('a planted breach of a law is told', () => {
  const broken: [law: string, output: Output, told: RegExp][] = [
    ['C1', { ...output, balances: changed(output.balances, 0, { granted: '10.000000001' }) }, /^C1/m],
    ['C5', { ...output, ledger: changed(output.ledger, 0, { amount: '10.000000001' }) }, /^C5/m],
    ['L7', { ...output, rated: changed(output.rated, 1, { amount: '5.000000001' }) }, /^L7/m],
    ['F1, the lines', { ...output, invoices: changed(output.invoices, 0, { lines: [] }) }, /^F1: lines/m],
    [
      'F1, the sum',
      { ...output, invoices: changed(output.invoices, 0, { granted: '9.000000000' }) },
      /F1: .*not add up/,
    ],
    [
      'F1, the opening',
      { ...output, invoices: changed(output.invoices, 0, { opening_balance: '1.000000000' }) },
      /opens/,
    ],
    ['F1, the last closing', { ...output, invoices: [] }, /F1: the last invoice/],
    ['L1, no notice', { ...output, commands: changed(output.commands, 1, { notice_id: 'a9' }) }, /^L1/m],
    ['L1, a later notice', { ...output, commands: output.commands.toReversed() }, /^L1/m],
    ['L5', { ...output, commands: changed(output.commands, 2, { command_id: 'p1' }) }, /^L5/m],
    ['N8', { ...output, commands: changed(output.commands, 2, { sequence: 1 }) }, /^N8/m],
    ['R7', { ...output, rated: changed(output.rated, 1, { line_id: 'c/acme/train/n1/0/0' }) }, /^R7/m],
    ['E4, the counts', { ...output, summary: { ...output.summary, applied: 6 } }, /summary does not add up/],
    ['E4, the rejected', { ...output, rejected: [] }, /summary\.rejected/],
  ];
  test.each(broken)('%s', (_, planted, told) => {
    expect(evaluate({ laws: true }, planted).join('\n')).toMatch(told);
  });
});

test('an output of a shape that nobody could compare is an error, not a pass', () => {
  const planted = { ...output, rated: changed(output.rated, 0, { amount: 7 }) };
  expect(() => evaluate({ laws: true }, planted)).toThrow('not an amount');
});

test.each([{ resource: null }, { resource: 'train' }, { resource: { kind: 'cluster' } }, { account_id: null }])(
  'a command about nothing is an error, not a pass: %j',
  (change) => {
    const planted = { ...output, commands: changed(output.commands, 1, change) };
    expect(() => evaluate({ laws: true }, planted)).toThrow();
  },
);

test('ledger times may not go backwards', () => {
  const wants = {
    ledger: {
      acme: [
        ['*', 'usage', '*'],
        ['*', 'usage', '*'],
        ['*', 'grant', '*'],
      ],
    },
  };
  const told = evaluate(wants, { ...output, ledger: output.ledger.toReversed() });
  expect(told).toEqual(['ledger[acme]: times go backwards']);
});

test('commands may not be out of the order of issue', () => {
  const told = evaluate({ commands: { acme: [] } }, { ...output, commands: output.commands.toReversed() });
  expect(told.join('\n')).toMatch('not in the order of issue');
});

test.each([
  ['amount', '1', '1.000000000', false],
  ['amount', '1.000000000', 1, false],
  ['unit_price', '3.1', '3.100000', true],
  ['unit_price', '3.1', '3.100001', false],
  ['start', '2026-05-01T02:00:00+02:00', '2026-05-01T00:00:00.000Z', true],
  ['start', '2026-05-01T00:00:00.000Z', '2026-05-01T00:00:00Z', false],
  ['quantity_ms', '5', 5, false],
  ['correction', true, 1, false],
  ['tags', { a: 'b' }, { a: 'b' }, true],
  ['node_id', null, undefined, true],
  ['node_id', 'n1', null, false],
] as const)('%s: %j against %j', (field, want, got, holds) => {
  expect(same(field, want, got)).toBe(holds);
});

test('pairing gives a vague want what the precise one leaves', () => {
  const { missing, extra } = pairUp(['*', 'a'], ['a', 'b'], (want, got) => want === '*' || want === got);
  expect({ missing, extra }).toEqual({ missing: [], extra: [] });
});

function line(id: string, amount: string, node: string): Row {
  return {
    line_id: id,
    account_id: 'acme',
    node_id: node,
    category: 'on_demand',
    start: '2026-05-01T00:00:00.000Z',
    quantity_ms: '3600000',
    unit_price: '3.000000',
    amount,
    list_amount: amount,
  };
}

function entry(time: string, kind: string, amount: string, ref: string): Row {
  return { account_id: 'acme', time, kind, amount, ref };
}

function command(id: string, name: string, sequence: number, issuedAt: string): Row {
  return { command_id: id, command: name, account_id: 'acme', sequence, attempt: 1, issued_at: issuedAt, reason: 'x' };
}

function changed(rows: readonly Row[], index: number, change: Row): readonly Row[] {
  return rows.map((row, at) => (at === index ? { ...row, ...change } : row));
}
