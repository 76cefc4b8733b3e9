import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { BadCall, replayFile } from '../../cli/replay.ts';
import * as on from './letter.ts';

/** A history worked out by hand from the rules' words, and what must come of it; what is not named is not compared. */
interface Case {
  readonly events: readonly string[];
  readonly until?: string;
  readonly want: Partial<on.Letter>;
}

const OPEN = [on.opened(), on.prices('05-01 00:00', '04-01 00:00', { H100: '3' })];
const RICH = [...OPEN, on.grant('05-01 00:00', 'g', '100000')];
const HOUR = on.usage('10:00', '09:00', '10:00', 8);
const PURCHASE = on.purchase('01:00', '02:00', '20:00', 1);
const WAITING = { payment: 'on_provision' };
const OTHER_PRICE = on.prices('09:00', '10:05', { H100: '6' });
/** What is applied once per id, each of another kind. */
const ONCE = [
  on.grant('01:00', 'once', '5', { expires_at: on.at('05-10 00:00') }),
  on.purchase('01:00', '02:00', '20:00', 1, { overdraft: true }),
  on.extend('01:00', '21:00'),
  on.cancel('01:00', '20:30'),
  on.provisioned('01:00'),
  on.prices('01:00', '02:00', { H100: '3' }),
];
const CHANGES = [
  { amount: '6' },
  { gpus: 2 },
  { ends_at: on.at('22:00') },
  { refund: '1' },
  { cluster_id: 'c9' },
  { gib_month: '1' },
];

function gpuUntil(end: string | number): string {
  return on.usage('12:10', '11:00', '12:00', 1, { end });
}

const CASES: Readonly<Record<string, Case>> = {
  'E2: what is rejected for its field leaves the clock, what is rejected for its account moves it': {
    events: [on.opened(), on.grant('09:00', 'g', '-1'), on.grant('08:00', 'g', '1', {}, { subject: 'nobody' })],
    want: { rejected: ['2 invalid_field', '3 unknown_account'], summary: '1 0 2 05-04 08:00' },
  },
  'E2: the first event starts the clock, and a lower time takes it': {
    events: [
      on.tick('12:00'),
      on.opened(),
      on.grant('01:00', 'g', '1'),
      on.grant('02:00', 'h', '1', { expires_at: on.at('11:00') }),
    ],
    want: { rejected: ['4 not_allowed'], ledger: ['05-04 12:00 grant 1 g'], summary: '3 0 1 05-04 12:00' },
  },
  'E3: a repeat four months later is a duplicate, though its end, expiry or effective_from has long passed': {
    events: [...OPEN, ...ONCE, ...ONCE.map((line) => on.again(line, '09-04 00:00'))],
    want: { rejected: [], summary: '8 6 0 09-04 00:00' },
  },
  'E3: with other content it is a conflict, before anything else is looked at': {
    events: [...OPEN, ...ONCE, ...ONCE.map((line, index) => on.again(line, '09-04 00:00', CHANGES[index]))],
    want: { rejected: [9, 10, 11, 12, 13, 14].map((line) => `${line} conflict`), summary: '8 0 6 09-04 00:00' },
  },
  'E3: one source and id stand for one event of an account, whatever its type, and for another one of another account':
    {
      events: [
        ...[...OPEN, on.opened('beta'), on.event('cluster.provisioned', '01:00', { cluster_id: 'c1' }, { id: 'x' })],
        on.event('cluster.decommissioned', '01:00', { cluster_id: 'c1' }, { id: 'x' }),
        on.event('cluster.decommissioned', '01:00', { cluster_id: 'c1' }, { id: 'x', subject: 'beta' }),
        ...[on.grant('01:00', 'g', '1', {}, { id: 'x' }), on.prices('01:00', '02:00', { H100: '3' }, { id: 'x' })],
      ],
      want: { rejected: ['5 conflict'] },
    },
  'E3: what was rejected may come again with other content': {
    events: [...OPEN, PURCHASE, on.grant('01:00', 'g', '72'), on.purchase('01:00', '02:00', '20:00', 2), PURCHASE],
    want: {
      rejected: ['3 insufficient_credits', '6 conflict'],
      ledger: ['05-04 01:00 grant 72 g', '05-04 01:00 reservation -72 r1'],
    },
  },
  'E4: 24 h long, 5 min ahead of the event and 35 days behind the clock are let in, a millisecond more is not': {
    events: [
      ...[...OPEN, on.usage('12:00', '05-03 12:00', '12:00', 1), on.usage('12:00', '05-03 11:59:59.999', '12:00', 1)],
      ...[on.usage('12:00', '12:00', '12:05', 1), on.usage('12:00', '12:00', '12:05:00.001', 1)],
      on.usage('06-08 12:00', '12:00', '13:00', 1, { node_id: 'n2' }),
      on.usage('06-08 12:00', '11:59:59.999', '13:00', 1, { node_id: 'n2' }),
    ],
    want: { rejected: ['4 interval_too_long', '6 in_future', '8 too_late'] },
  },
  'E5: only the first price of a thing may start before the clock, and a list with one that is not is refused whole': {
    events: [
      ...[on.opened(), on.tick('12:00'), on.prices('12:00', '10:00', { H100: '3' })],
      ...[on.prices('12:00', '11:59:59.999', { H100: '4' }), on.prices('12:00', '12:00', { H100: '5' })],
      ...[
        on.prices('12:00', '10:00', { H100: '6', H200: '1' }),
        on.usage('12:00', '11:00', '12:00', 1, { gpu_type: 'H200' }),
      ],
      ...[on.contract('12:00', '11:59:59.999', { H100: '1' }), on.contract('12:00', '12:00', { H100: '1' })],
    ],
    want: { rejected: ['4 retroactive_price', '6 retroactive_price', '7 no_price', '8 retroactive_price'] },
  },
  'E6: a purchase may start 24 h before the clock and must end after it, at most 1100 days': {
    events: [
      ...[...RICH, on.purchase('12:00', '05-03 12:00', '12:00:00.001', 1, { reservation_id: 'a' })],
      on.purchase('12:00', '05-03 11:59:59.999', '13:00', 1),
      on.purchase('12:00', '05-03 12:00', '12:00', 1),
      on.purchase('12:00', '2029-05-08 11:00', '2029-05-08 12:00', 1, { reservation_id: 'b' }),
      on.purchase('12:00', '2029-05-08 11:00', '2029-05-08 12:00:00.001', 1),
      on.purchase('12:00', '13:00', '13:00', 1),
    ],
    want: { rejected: ['5 not_allowed', '6 not_allowed', '8 not_allowed', '9 invalid_field'] },
  },
  'E6: refunds in all may be what was charged, its extension included, and not a nano more': {
    events: [
      ...[
        ...RICH,
        on.purchase('01:00', '02:00', '03:00', 8),
        on.extend('01:00', '04:00'),
        on.cancel('01:00', '03:30', '30'),
      ],
      ...[
        on.cancel('01:00', '03:30', '2.000000001'),
        on.cancel('01:00', '03:30', '2'),
        on.cancel('01:00', '03:30', '0.000000001'),
      ],
    ],
    want: { rejected: ['7 not_allowed', '9 not_allowed'], balances: ['acme 100000 0 active'] },
  },
  'E6: at its end a reservation is unknown, whatever else is wrong; a millisecond before it can be extended': {
    events: [
      ...[...RICH, on.purchase('01:00', '02:00', '03:00', 1), on.extend('02:59:59.999', '03:00:00.001')],
      ...[on.extend('03:00:00.001', '02:00'), on.cancel('03:00:00.001', '09:00', '99')],
    ],
    want: { rejected: ['6 unknown_reservation', '7 unknown_reservation'] },
  },
  'R1: a sample of which one part has no price is refused whole, what was billed of it before left aside': {
    events: [
      ...[on.opened(), on.prices('10:00', '11:30', { H100: '3' }), on.usage('12:00', '11:30', '12:00', 1)],
      ...[on.usage('12:00', '11:29:59.999', '12:00', 1), on.usage('12:00', '11:30', '12:03', 1)],
    ],
    want: {
      rejected: ['4 no_price'],
      rated: ['n1 11:30-12:00 on_demand 1.5/1.5', 'n1 12:00-12:03 on_demand 0.15/0.15'],
    },
  },
  'R2: a sample around another is billed for its outer parts, at its own GPUs': {
    events: [...OPEN, HOUR, on.usage('11:00', '08:30', '10:15', 4), on.usage('11:00', '08:30', '10:15', 9)],
    want: {
      rated: ['n1 09:00-10:00 on_demand 24/24', 'n1 08:30-09:00 on_demand 6/6', 'n1 10:00-10:15 on_demand 3/3'],
      summary: '4 1 0 05-04 11:00',
    },
  },
  'R4: the earliest end is used first, and what holds for part of an hour for that part': {
    events: [
      ...[
        ...RICH,
        on.purchase('01:00', '10:00', '12:00', 10),
        on.purchase('01:00', '10:30', '11:00', 2, { reservation_id: 'r2' }),
      ],
      on.usage('11:00', '09:45', '11:00', 16),
    ],
    want: {
      rated: [
        ...['n1 09:45-10:00 on_demand 12/12', 'n1 10:00-11:00 reserved r1 0/30', 'n1 10:00-11:00 burst 15/15'],
        'n1 10:30-11:00 reserved r2 0/3',
      ],
    },
  },
  'R4, C4: what waited for its cluster holds for all that is rated after the charge, which comes before the rating': {
    events: [
      ...[...RICH, on.purchase('01:00', '02:00', '20:00', 8, WAITING), HOUR],
      on.usage('10:00', '03:00', '04:00', 9, { node_id: 'n2' }),
    ],
    want: {
      rated: ['n1 09:00-10:00 reserved r1 0/24', 'n2 03:00-04:00 reserved r1 0/24', 'n2 03:00-04:00 burst 3/3'],
      ledger: [
        '05-01 00:00 grant 100000 g',
        '05-04 10:00 reservation -288 r1',
        expect.stringMatching(/^05-04 10:00 usage -3 /),
      ],
    },
  },
  'R4: what was rated stays; a cancellation to now counts for what comes after': {
    events: [
      ...[
        ...RICH,
        on.purchase('01:00', '02:00', '20:00', 8),
        on.usage('10:00', '09:00', '10:05', 8),
        on.cancel('10:01', '03:00'),
      ],
      on.usage('10:06', '10:00', '10:06', 8, { node_id: 'n2' }),
    ],
    want: {
      rated: [
        ...['n1 09:00-10:00 reserved r1 0/24', 'n1 10:00-10:05 reserved r1 0/2'],
        ...['n2 10:00-10:01 burst 0.4/0.4', 'n2 10:01-10:06 on_demand 2/2'],
      ],
    },
  },
  'R5: where the book has no price yet the contract is the list price, and the unit price stays the contract’s': {
    events: [
      ...[
        on.opened(),
        on.contract('08:00', '09:00', { H100: '1.5' }),
        on.prices('08:00', '09:30', { H100: '3' }),
        HOUR,
      ],
      on.usage('10:00', '08:59:59.999', '10:00', 1, { node_id: 'n2' }),
    ],
    want: { rejected: ['5 no_price'], rated: ['n1 09:00-09:30 on_demand 6/6', 'n1 09:30-10:00 on_demand 6/12'] },
  },
  'R8: less than 72 h past its end a month takes what is late; after that the month of the clock does, another between them or not':
    {
      events: [
        ...[...OPEN, on.usage('06-03 23:59:59.999', '05-31 23:00', '06-01 00:30', 2)],
        on.usage('06-04 00:00', '05-31 23:00', '06-01 00:30', 2, { node_id: 'n2' }),
        on.usage('07-02 00:00', '05-31 23:00', '06-01 00:30', 2, { node_id: 'n3' }),
      ],
      want: {
        rated: [
          ...['n1 23:00-00:00 on_demand 6/6', 'n1 00:00-00:30 on_demand 3/3'],
          ...['n2 23:00-00:00 on_demand 6/6 2026-06', 'n2 00:00-00:30 on_demand 3/3'],
          ...['n3 23:00-00:00 on_demand 6/6 2026-07', 'n3 00:00-00:30 on_demand 3/3'],
        ],
        invoices: [
          '2026-05 final 0 > -6: on_demand c1 6',
          '2026-06 open -6 > -21: on_demand c1 9, correction c1 6',
          '2026-07 open -21 > -27: correction c1 6',
        ],
      },
    },
  'C1: what is owed is paid by the next grant first, and only the rest of it expires': {
    events: [
      ...OPEN,
      on.usage('10:00', '09:00', '10:00', 1),
      on.grant('11:00', 'g', '10', { expires_at: on.at('12:00') }),
    ],
    until: '12:00',
    want: {
      ledger: [expect.stringMatching(/ usage -3 /), '05-04 11:00 grant 10 g', '05-04 12:00 expiry -7 g'],
      balances: ['acme 0 0 exhausted'],
    },
  },
  'C2: what never expires is used last, also where it is promotional': {
    events: [
      ...[...OPEN, on.grant('01:00', 'kept', '10', { kind: 'promotional' })],
      ...[
        on.grant('01:00', 'b', '10', { expires_at: on.at('05-20 00:00') }),
        on.grant('01:00', 'a', '10', { expires_at: on.at('05-19 00:00') }),
      ],
      on.usage('10:00', '09:00', '10:00', 5),
    ],
    until: '05-20 00:00',
    want: {
      ledger: [
        ...['grant 10 kept', 'grant 10 b', 'grant 10 a'].map((row) => `05-04 01:00 ${row}`),
        expect.stringMatching(/ usage -15 /),
        '05-20 00:00 expiry -5 b',
      ],
    },
  },
  'C3: usage that comes at the expiry is not paid by the grant; a millisecond before it is': {
    events: [
      ...[...OPEN, on.grant('01:00', 'a', '10', { expires_at: on.at('10:00') })],
      ...[on.grant('01:00', 'b', '10', { expires_at: on.at('10:00:00.001') }), on.usage('10:00', '09:00', '10:00', 2)],
    ],
    until: '10:00:00.001',
    want: {
      ledger: [
        ...['05-04 01:00 grant 10 a', '05-04 01:00 grant 10 b', '05-04 10:00 expiry -10 a'],
        ...[expect.stringMatching(/^05-04 10:00 usage -6 /), '05-04 10:00:00.001 expiry -4 b'],
      ],
    },
  },
  'C4: of what is not charged yet a cancellation takes off the end, and an extension adds to it at its own price': {
    events: [
      ...[...RICH, on.purchase('01:00', '12:00', '20:00', 1, WAITING), on.extend('01:00', '22:00', '3')],
      ...[on.cancel('01:00', '19:00'), on.extend('01:00', '21:00', '5'), on.provisioned('01:30')],
    ],
    want: { invoices: ['2026-05 open 0 > 99976: reservation c1 r1 14, reservation c1 r1 10'] },
  },
  'C4: an extension after a cancellation to before its start charges from its start': {
    events: [
      ...[
        ...RICH,
        on.purchase('01:00', '12:00', '20:00', 1),
        on.cancel('02:00', '03:00', '16'),
        on.extend('02:30', '12:00'),
      ],
      on.extend('02:30', '12:30'),
    ],
    want: {
      rejected: [],
      ledger: [
        '05-01 00:00 grant 100000 g',
        '05-04 01:00 reservation -16 r1',
        '05-04 02:00 refund 16 r1',
        '05-04 02:30 reservation -1 r1',
      ],
    },
  },
  'C4, R6: two thirds of a nano and one third more at the same price are one nano, at another price none': {
    events: [
      ...[...RICH, on.purchase('01:00', '12:00', '12:00:02.400', 1, { price_per_gpu_hour: '0.000001' })],
      ...[on.extend('01:00', '12:00:03.600'), on.extend('01:00', '12:00:04.000', '0.000002')],
    ],
    want: { ledger: ['05-01 00:00 grant 100000 g', '05-04 01:00 reservation -0.000000001 r1'] },
  },
  'C4: usage that ended with the decommission does not bring the cluster back, a millisecond more does': {
    events: [
      ...[
        ...RICH,
        on.provisioned('02:00'),
        on.decommissioned('05:00'),
        on.purchase('05:00', '03:00', '20:00', 8, WAITING),
      ],
      ...[on.usage('06:00', '04:00', '05:00', 8), on.usage('06:00', '05:00', '05:00:00.001', 8)],
    ],
    want: {
      rated: ['n1 04:00-05:00 on_demand 24/24', 'n1 05:00-05:00:00.001 reserved r1 0/0.000006666'],
      balances: ['acme 99704 0 active'],
    },
  },
  'C4: with decommission the end is the shortest notice away, but not later than it was': {
    events: [
      ...[...RICH, on.purchase('01:00', '02:00', '20:00', 8), on.cancel('10:00', '10:00', '0', { decommission: true })],
      ...[on.cancel('10:30', '10:30', '0', { decommission: true }), on.usage('12:00', '10:00', '12:00', 8)],
    ],
    want: { rated: ['n1 10:00-11:00 reserved r1 0/24', 'n1 11:00-12:00 on_demand 24/24'] },
  },
  'C6: 2 h after its end a sample still makes active, for 15 min': {
    events: [...OPEN, on.grant('01:00', 'g', '10000'), on.usage('12:00', '09:00', '10:00', 8)],
    until: '12:14:59.999',
    want: { balances: ['acme 9976 24 active'] },
  },
  'C6: a millisecond later it does not': {
    events: [...OPEN, on.grant('01:00', 'g', '10000'), on.usage('12:00:00.001', '09:00', '10:00', 8)],
    want: { balances: ['acme 9976 0 active'] },
  },
  'C6: of samples with the same end the first counts, and none that ends sooner keeps a node active': {
    events: [
      ...RICH,
      on.usage('10:00', '09:30', '10:00', 8),
      on.usage('10:10', '09:00', '10:00', 2),
      on.usage('10:10', '08:00', '09:00', 2),
    ],
    until: '10:14:59.999',
    want: { balances: ['acme 99979 24 active'] },
  },
  'C6: a price counts from the next event of the account that is applied, not from a tick, a rejection or a repeat': {
    events: [
      ...[...RICH, OTHER_PRICE, HOUR, on.tick('10:05'), on.grant('10:06', 'h', '1', { expires_at: on.at('10:06') })],
      on.again(RICH[2] ?? '', '10:07'),
    ],
    want: { balances: ['acme 99976 24 active'] },
  },
  'C6: and it counts from then': {
    events: [...RICH, OTHER_PRICE, HOUR, on.grant('10:05', 'h', '1')],
    want: { balances: ['acme 99977 48 active'] },
  },
  'C6: reserved GPUs that outlive their reservation are uncovered once something of them was not paid ahead': {
    events: [
      ...RICH,
      on.purchase('01:00', '02:00', '10:05', 8),
      HOUR,
      on.tick('10:06'),
      on.usage('10:07', '10:00', '10:07', 8),
    ],
    until: '10:21:59.999',
    want: { balances: ['acme 99869.866666667 24 active'] },
  },
  'C6: uncovered GPUs lapse 15 min after the last that was not reserved, while their nodes go on': {
    events: [
      ...[
        ...RICH,
        on.purchase('01:00', '02:00', '20:00', 8),
        HOUR,
        on.usage('10:00', '09:50', '10:00', 2, { node_id: 'n2' }),
      ],
      on.usage('10:10', '10:00', '10:10', 8, { node_id: 'n3' }),
    ],
    until: '10:15',
    want: { balances: ['acme 99711 0 active'] },
  },
  'F1: a month without a movement has no invoice, and the next one opens with what the last one closed': {
    events: [...OPEN, on.grant('01:00', 'g', '100'), HOUR, on.usage('08-04 10:00', '08-04 09:00', '08-04 10:00', 1)],
    want: { invoices: ['2026-05 final 0 > 76: on_demand c1 24', '2026-08 open 76 > 73: on_demand c1 3'] },
  },
  'F3: 72 h past its end a month is final, a millisecond before it is open': {
    events: [...OPEN, HOUR, on.grant('06-01 00:00', 'g', '100'), on.tick('06-03 23:59:59.999')],
    want: { invoices: ['2026-05 open 0 > -24: on_demand c1 24', '2026-06 open -24 > 76'] },
  },
  'X: what is due at one instant comes by account, then id; `until` is included': {
    events: [
      ...[on.opened('b'), on.opened('a')],
      ...['z', 'y'].map((id) => on.grant('01:00', id, '5', { expires_at: on.at('05:00') }, { subject: 'b' })),
      on.grant('01:00', 'z', '6', { expires_at: on.at('05:00') }, { subject: 'a' }),
    ],
    until: '05:00',
    want: {
      ledger: [
        ...['05-04 01:00 grant 5 z', '05-04 01:00 grant 5 y', '05-04 01:00 grant 6 z'],
        ...['05-04 05:00 expiry -6 z', '05-04 05:00 expiry -5 y', '05-04 05:00 expiry -5 z'],
      ],
      balances: ['a 0 0 active', 'b 0 0 active'],
    },
  },
  'X: without an event there is no clock, and nothing else': {
    events: ['', '{}'],
    want: { rejected: ['2 malformed'], balances: [], summary: '0 0 1' },
  },
  'U1: a leap second, a minute without seconds and a time without an offset are no times; small letters and offsets are':
    {
      events: [
        ...['2026-05-04T11:59:60Z', '2026-05-04T11:59Z', '2026-05-04T11:59:59', 1.5].map((end) => gpuUntil(end)),
        ...['2026-05-04t12:00:00.0009z', '2026-05-04T17:35:00+05:30', 1_777_896_600_000].map((end) => gpuUntil(end)),
      ],
      want: {
        rejected: [1, 2, 3, 4]
          .map((line) => `${line} invalid_field`)
          .concat([5, 6, 7].map((line) => `${line} unknown_account`)),
      },
    },
  'X: blank lines are counted, and nothing else about them': {
    events: ['', OPEN[0] ?? '', ' \t', '{', '', '[]'],
    want: { rejected: ['4 malformed', '6 malformed'], summary: '1 0 2 05-01 00:00' },
  },
};

test.each(Object.entries(CASES))('%s', (_, { events, until, want }) => {
  expect(on.letterOf(events, until)).toMatchObject(want);
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tollgate-letter-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('X: the mark of UTF-8 that some editors put before a file is no part of its first line', async () => {
  const home = folder();
  writeFileSync(join(home, 'events.ndjson'), `\ufeff${OPEN.join('\r\n')}\r\n\ufeff${HOUR}\n`);
  const summary = await replayFile({ eventsPath: join(home, 'events.ndjson'), outDir: join(home, 'out') });
  expect(summary).toMatchObject({ applied: 2, rejected: 1 });
  expect(readFileSync(join(home, 'out', 'rejected.ndjson'), 'utf8')).toContain('"line":3,"reason":"malformed"');
});

test.each(['/proc/tollgate/out', '/dev/null/out'])(
  'X: a folder that cannot be made (%s) is a bad call, at once',
  async (outDir) => {
    const home = folder();
    writeFileSync(join(home, 'events.ndjson'), OPEN.join('\n'));
    await expect(replayFile({ eventsPath: join(home, 'events.ndjson'), outDir })).rejects.toThrow(BadCall);
  },
);
