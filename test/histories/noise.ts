import { type Data, type Draft, day, hour, instant, isoTime, minute, writeLine } from './draft.ts';
import type { Random } from './random.ts';

/** A line to be: an event, or a text that is none. */
export type Entry = { draft: Draft } | { text: string };

/** Spoils a log in place: repeats, conflicts, times out of order, and every rejection of E4, near the edges. `share` is noise per event. */
export function spoil(log: Entry[], share: number, random: Random): void {
  const accounts = log.flatMap((e) =>
    'draft' in e && e.draft.type === 'account.opened' ? [e.draft.subject ?? ''] : [],
  );
  const spoils = Math.round(log.length * share);
  for (let n = 0; n < spoils; n++) {
    const index = random.int(0, log.length - 1);
    const entry = log[index];
    if (entry === undefined || !('draft' in entry)) continue;
    const at = entry.draft.at;
    const subject = random.any(accounts) ?? 'acme';
    const id = `x${n}`;
    const place = { log, index, at, subject, id, draft: entry.draft, random };
    random.weighted(spoilers)(place);
  }
}

interface Place {
  readonly log: Entry[];
  readonly index: number;
  readonly at: number;
  readonly subject: string;
  readonly id: string;
  readonly draft: Draft;
  readonly random: Random;
}

const spoilers: readonly (readonly [number, (place: Place) => void])[] = [
  [10, (p) => insertLater(p, structuredClone(p.draft))],
  [3, (p) => insert(p, structuredClone(p.draft))],
  [14, conflict],
  [6, (p) => (p.draft.at -= p.random.pick([1, minute, hour, 3 * day]))],
  [4, swap],
  [6, malformed],
  [
    2,
    (p) =>
      insert(p, { ...p.draft, id: p.id, type: p.random.pick(['usage.cpu', 'toString', 'usage.gpu ', 'constructor']) }),
  ],
  [7, invalidField],
  [9, badInterval],
  [
    3,
    (p) =>
      insertLater(p, {
        ...p.draft,
        id: p.id,
        ...(p.draft.subject === undefined ? {} : { subject: p.random.pick(['nobody', 'hasOwnProperty']) }),
      }),
  ],
  [4, noPrice],
  [5, retroactive],
  [3, unknownReservation],
  [7, notAllowed],
  [2, insufficient],
  [2, (p) => p.log.splice(p.index, 0, { text: p.random.pick(['', '   ', '\t']) })],
];

/** Right after the place, as of its time. */
function insert({ log, index }: Place, draft: Draft): void {
  log.splice(index + 1, 0, { draft });
}

/** Some lines later, with the time of that place or its own. */
function insertLater({ log, index, random }: Place, draft: Draft): void {
  const target = Math.min(log.length, index + random.int(1, 30));
  const before = log[target - 1];
  const at = before !== undefined && 'draft' in before && random.chance(0.8) ? before.draft.at : draft.at;
  log.splice(target, 0, { draft: { ...draft, at } });
}

function swap({ log, index }: Place): void {
  const [first, second] = [log[index], log[index + 1]];
  if (first !== undefined && second !== undefined) log.splice(index, 2, second, first);
}

/** The same business id with other content. */
function conflict(place: Place): void {
  const { draft, random } = place;
  if (draft.type.startsWith('usage.') || draft.type === 'clock.tick') return;
  const data: Data = { ...draft.data };
  const copy = { ...structuredClone(draft), data };
  if (draft.type === 'account.opened') data.name = 'another';
  else if (draft.type === 'credits.granted') data.amount = '77';
  else if (draft.type === 'reservation.purchased') data.gpus = 99;
  else if (draft.type === 'policy.set') data.policy = { stale_after: '16m' };
  else if (draft.type === 'reservation.cancelled') data.refund = '0.000000003';
  else if (draft.type === 'reservation.extended') data.price_per_gpu_hour = '3.999';
  else if (draft.type === 'prices.published' || draft.type === 'contract.priced') data.gib_month = '9.5';
  else if (random.chance(0.5))
    copy.type = draft.type.endsWith('provisioned') ? 'cluster.decommissioned' : 'volume.created';
  else data[Object.keys(data)[0] ?? ''] = 'another';
  insertLater(place, copy);
}

function malformed(place: Place): void {
  const { log, index, draft, at, random, id } = place;
  const line = writeLine({ ...draft, id }, random);
  const member = (name: string, value: unknown): string => JSON.stringify({ ...JSON.parse(line), [name]: value });
  const text = random.pick<() => string>([
    () => line.slice(0, random.int(1, line.length - 1)),
    () => 'not JSON',
    () => `[${line}]`,
    () => '"text"',
    () => '5',
    () => 'null',
    () => '{}',
    () => member('specversion', '2.0'),
    () => member('id', random.pick<unknown>(['', 'a b', 'x'.repeat(129), 7])),
    () => member('source', random.pick<unknown>(['', 's'.repeat(257), '\ud800', 1])),
    () =>
      member(
        'time',
        random.pick<unknown>(['yesterday', '2026-02-30T00:00:00Z', '1969-12-31T23:59:59.999Z', -1, 1.5, null]),
      ),
    () => member('type', random.pick<unknown>([7, null, ''])),
    () => member('subject', draft.subject === undefined ? 'acme' : undefined),
    () => member('subject', random.pick<unknown>(['', 'a/b', 5, [], null])),
    () => member('data', random.pick<unknown>([null, [], 'text', 0])),
    () => member('time', isoTime(at).replace('T', ' at ')),
  ])();
  log.splice(index + 1, 0, { text });
}

function invalidField(place: Place): void {
  const { draft, random, id } = place;
  const copy: Draft = { ...structuredClone(draft), id, at: draft.at + random.pick([0, 0, hour]) };
  const member = random.any(Object.keys(draft.data));
  if (member !== undefined && random.chance(0.25)) delete copy.data[member];
  else if (member !== undefined && random.chance(0.3))
    copy.data[member] = random.pick([null, -1, 1.5, '1.0000000001', {}, [], true, '', 'a b']);
  else {
    const gpu = {
      cluster_id: 'c1',
      node_id: 'n1',
      gpu_type: 'H100',
      gpus: 1,
      start: instant(copy.at - hour),
      end: instant(copy.at),
    };
    const volume = { volume_id: 'v1', size_gib: 1, start: instant(copy.at - hour), end: instant(copy.at) };
    const bad: [string, Data] = random.pick<[string, Data]>([
      ['usage.gpu', { ...gpu, gpus: random.pick([0, 1025, 1.5, '8']) }],
      ['usage.gpu', { ...gpu, tags: random.pick<unknown>([{ a: 1 }, ['a'], { a: 'x'.repeat(65) }, manyTags()]) }],
      ['account.opened', { name: random.pick<unknown>(['n'.repeat(257), '\ud800', 7, null]) }],
      ['usage.gpu', { ...gpu, tags: { a: '\udc00' } }],
      ['policy.set', { policy: { low_runway: Array.from({ length: random.pick([32, 33]) }, () => '1h') } }],
      ['usage.gpu', { ...gpu, gpu: 1 }],
      ['usage.storage', { ...volume, size_gib: random.pick([0, 2 ** 40 + 1]) }],
      ['usage.storage', { ...volume, end: '2026-13-01T00:00:00Z' }],
      [
        'credits.granted',
        {
          grant_id: 'bad',
          amount: random.pick(['0', '-1', '1e3', '1.0000000001', '1234567890123', '.5', '5.', 5]),
          kind: 'paid',
        },
      ],
      ['credits.granted', { grant_id: 'bad', amount: '1', kind: 'gift' }],
      [
        'policy.set',
        {
          policy: random.pick<unknown>([
            { pause_after: '4m' },
            { revoke_after: '59m' },
            { low_runway: ['59s'] },
            { pause: '1h' },
          ]),
        },
      ],
      [
        'policy.set',
        {
          policy: random.pick<unknown>([
            { reservation_end_notices: [] },
            { activity_window: '36501d' },
            { overdue_after: '1 h' },
            null,
          ]),
        },
      ],
      [
        'prices.published',
        { effective_from: instant(copy.at), gpu_hour: { H100: random.pick(['1.0000000', '-1', 3]) } },
      ],
      ['prices.published', { effective_from: instant(copy.at), gpu_hour: { 'a b': '1' } }],
      [
        'reservation.purchased',
        { ...terms(copy.at, 'bad'), starts_at: instant(copy.at + hour), ends_at: instant(copy.at + hour) },
      ],
      ['reservation.purchased', { ...terms(copy.at, 'bad'), gpus: random.pick([0, 1_000_001]) }],
      ['clock.tick', { a: 1 }],
      ['cluster.provisioned', { cluster_id: 'c 1' }],
    ]);
    copy.type = bad[0];
    copy.data = bad[1];
    copy.subject = place.subject;
    if (bad[0] === 'clock.tick' || bad[0] === 'prices.published') delete copy.subject;
  }
  insert(place, copy);
}

function manyTags(): Data {
  return Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`t${n}`, '']));
}

function terms(at: number, id: string): Data {
  const span = { starts_at: instant(at), ends_at: instant(at + hour) };
  return {
    reservation_id: id,
    cluster_id: 'c1',
    gpu_type: 'H100',
    gpus: 1,
    ...span,
    price_per_gpu_hour: '1',
    payment: 'upfront',
  };
}

/** Usage at both sides of each bound of E4. */
function badInterval(place: Place): void {
  const { at, random } = place;
  const [start, end] = random.pick([
    [at, at],
    [at, at - 1],
    [at - day - 1, at],
    [at - day, at],
    [at - hour, at + 5 * minute + 1],
    [at - minute, at + 5 * minute],
    [at - 35 * day - 1, at - 35 * day + hour],
    [at - 36 * day, at - 35 * day - hour],
    [at - 35 * day - 1, at - 35 * day],
    [at - 35 * day, at - 35 * day + hour],
    [at - 40 * day, at - 40 * day],
  ] as const);
  const span = { start: instant(start), end: instant(end) };
  const gpu = { cluster_id: 'c1', node_id: random.pick(['n1', 'odd']), gpu_type: 'H100', gpus: 1, ...span };
  const { id, subject } = place;
  if (random.chance(0.6)) insert(place, { at, id, subject, source: 'agent', type: 'usage.gpu', data: gpu });
  else
    insert(place, {
      at,
      id,
      subject,
      source: 'agent',
      type: 'usage.storage',
      data: { volume_id: 'v1', size_gib: 3, ...span },
    });
}

/** Usage of a type without a price, and later perhaps its first price, from the past. */
function noPrice(place: Place): void {
  const { at, random, id, subject } = place;
  const type = random.pick(['X9', 'X9', 'hasOwnProperty']);
  const span = { start: instant(at - hour), end: instant(at) };
  const draft = {
    at,
    id,
    subject,
    source: 'agent',
    type: 'usage.gpu',
    data: { cluster_id: 'cx', node_id: 'nx', gpu_type: type, gpus: 2, ...span },
  };
  insert(place, draft);
  if (random.chance(0.4)) {
    const from = instant(at - random.pick([day, minute, 30 * minute]));
    insertLater(place, {
      at,
      id: `${id}p`,
      type: 'prices.published',
      data: { effective_from: from, gpu_hour: { [type]: '4' } },
    });
    insertLater(place, structuredClone(draft));
  }
}

function retroactive(place: Place): void {
  const { at, random, id, subject } = place;
  const from = instant(at + random.pick([-1, -1, -hour, 0]));
  const price = random.chance(0.7) ? { gpu_hour: { H100: '2' } } : { gpu_hour: {}, gib_month: '0.5' };
  if (random.chance(0.5)) insert(place, { at, id, type: 'prices.published', data: { effective_from: from, ...price } });
  else insert(place, { at, id, subject, type: 'contract.priced', data: { effective_from: from, ...price } });
}

function unknownReservation(place: Place): void {
  const { at, random, id, subject } = place;
  const data = { reservation_id: random.pick(['r404', 'toString']), ends_at: instant(at + hour) };
  if (random.chance(0.5)) insert(place, { at, id, subject, type: 'reservation.extended', data });
  else insert(place, { at, id, subject, type: 'reservation.cancelled', data: { ...data, refund: '0' } });
}

/** Acts at both sides of the bounds of E6 and C3. */
function notAllowed(place: Place): void {
  const { at, random, id, subject, log } = place;
  const purchases = log.flatMap((e) => ('draft' in e && e.draft.type === 'reservation.purchased' ? [e.draft] : []));
  const known = random.any(purchases);
  const bought = { type: 'reservation.purchased', ...(known?.subject === undefined ? {} : { subject: known.subject }) };
  const reservation_id = known?.data.reservation_id ?? 'r1';
  const buy = (change: Data) => ({
    type: 'reservation.purchased',
    subject,
    data: { ...terms(at, id), price_per_gpu_hour: '0.000001', ...change },
  });
  const draft = random.pick<() => { type: string; subject?: string; data: Data }>([
    () => ({
      type: 'credits.granted',
      subject,
      data: { grant_id: id, amount: '5', kind: 'promotional', expires_at: instant(at + random.pick([0, -1, 1])) },
    }),
    () => buy({ starts_at: instant(at - day - random.pick([0, 1])) }),
    () => buy({ starts_at: instant(at - hour), ends_at: instant(at + random.pick([0, 1, -1])) }),
    () => buy({ ends_at: instant(at + 1100 * day + random.pick([0, 1])) }),
    () => ({
      ...bought,
      type: 'reservation.extended',
      data: { reservation_id, ends_at: instant(at + 1100 * day + random.pick([0, 1])) },
    }),
    () => ({
      ...bought,
      type: 'reservation.extended',
      data: { reservation_id, ends_at: known?.data.ends_at ?? instant(at) },
    }),
    () => ({
      ...bought,
      type: 'reservation.cancelled',
      data: { reservation_id, ends_at: instant(at), refund: '999999999999' },
    }),
    () => ({
      ...bought,
      type: 'reservation.cancelled',
      data: { reservation_id, ends_at: instant(at + 1200 * day), refund: '0' },
    }),
  ])();
  insert(place, { at, id, ...draft });
}

function insufficient(place: Place): void {
  const { at, id, subject } = place;
  const data = { ...terms(at, id), gpus: 1_000_000, price_per_gpu_hour: '999999.999999' };
  insert(place, { at, id, subject, type: 'reservation.purchased', data });
}
