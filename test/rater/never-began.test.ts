import { expect, test } from 'vitest';
import { cancel, letterOf, opened, prices, purchase, usage } from './letter.ts';

/** 2 GPUs of c1, of which the price comes to be 2 USD at 10:50; and a free reservation of one of them from 10:55 on. */
const priced = [prices('10:00', '10:00', { H100: '0' }), prices('10:00', '10:50', { H100: '2' })];
const used = usage('10:45', '10:40', '10:45', 2);
const purchased = purchase('10:00', '10:55', '12:00', 1, { price_per_gpu_hour: '0' });

test.each([
  ['no reservation', [], '0'],
  ['one that begins at 10:55', [purchased], '2'],
  ['one that was cancelled to a time before it', [purchased, cancel('10:00', '10:30')], '0'],
])('C6: the burn rate is worked out anew where a reservation begins: %s', (_, events, burnRate) => {
  const lines = [...priced, opened('acme', '10:00'), ...events, used];
  const { balances, rejected } = letterOf(lines, '10:55');
  expect({ balances, rejected }).toEqual({ balances: [`acme 0 ${burnRate} active`], rejected: [] });
});
