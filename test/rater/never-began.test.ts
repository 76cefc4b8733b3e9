import { expect, test } from 'vitest';
import { replayLines } from '../../cli/replay.ts';

/** A log of 4 May 2026 in which c1 uses 2 GPUs, of which the price comes to be 2 USD at 10:50. */
function log(...reservation: readonly (readonly [string, string, object])[]): readonly string[] {
  const events: readonly (readonly [string, string, object, boolean?])[] = [
    ['10:00', 'prices.published', { effective_from: at('10:00'), gpu_hour: { H100: '0' } }, true],
    ['10:00', 'prices.published', { effective_from: at('10:50'), gpu_hour: { H100: '2' } }, true],
    ['10:00', 'account.opened', {}],
    ...reservation,
    [
      '10:45',
      'usage.gpu',
      { cluster_id: 'c1', node_id: 'n1', gpu_type: 'H100', gpus: 2, start: at('10:40'), end: at('10:45') },
    ],
  ];
  return events.map(([time, type, data, everywhere = false], index) => {
    const subject = everywhere ? {} : { subject: 'acme' };
    return JSON.stringify({
      specversion: '1.0',
      id: `e${index}`,
      source: 'ops',
      type,
      ...subject,
      time: at(time),
      data,
    });
  });
}

const purchased = {
  reservation_id: 'r1',
  cluster_id: 'c1',
  gpu_type: 'H100',
  gpus: 1,
  starts_at: at('10:55'),
  ends_at: at('12:00'),
  price_per_gpu_hour: '0',
  payment: 'upfront',
};
const cancelled = { reservation_id: 'r1', refund: '0' };

test.each([
  ['no reservation', [], '0.000000000'],
  ['one that begins at 10:55', [['10:00', 'reservation.purchased', purchased]], '2.000000000'],
  [
    'one that was cancelled to a time before it',
    [
      ['10:00', 'reservation.purchased', purchased],
      ['10:00', 'reservation.cancelled', { ...cancelled, ends_at: at('10:30') }],
    ],
    '0.000000000',
  ],
] as const)('C6: the burn rate is worked out anew where a reservation begins: %s', (_, events, burnRate) => {
  const { balances } = replayLines(log(...events), at('10:55'));
  expect(balances).toMatchObject([{ burn_rate: burnRate }]);
});

function at(time: string): string {
  return `2026-05-04T${time}:00.000Z`;
}
