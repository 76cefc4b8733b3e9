/** What an event of the log may look like, written from section E of SPEC alone: the converter's referee. */

type Check = (value: unknown) => boolean;

const id: Check = (value) => typeof value === 'string' && /^[A-Za-z0-9._:-]{1,128}$/.test(value);
const time: Check = (value) => typeof value === 'string' && /^2025-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
const oneOf =
  (...values: string[]): Check =>
  (value) =>
    typeof value === 'string' && values.includes(value);
const integer =
  (max: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= max;
const amount: Check = (value) => typeof value === 'string' && /^\d{1,12}(\.\d{1,9})?$/.test(value);
const positive: Check = (value) => amount(value) && Number(value) > 0;
const price: Check = (value) => typeof value === 'string' && /^\d{1,12}(\.\d{1,6})?$/.test(value);
const prices: Check = (value) =>
  isRecord(value) && Object.entries(value).every(([key, cell]) => id(key) && price(cell));
const tags: Check = (value) =>
  isRecord(value) && Object.values(value).every((tag) => typeof tag === 'string' && tag.length <= 64);
const duration: Check = (value) => typeof value === 'string' && /^\d{1,6}[smhd]$/.test(value);
const policy: Check = (value) =>
  isRecord(value) &&
  Object.entries(value).every(([name, cell]) =>
    name === 'low_runway' ? Array.isArray(cell) && cell.every(duration) : name === 'activity_window' && duration(cell),
  );

/** Members of `data` by type; `?` marks those that may be absent. */
const SHAPES = new Map<string, Record<string, Check>>([
  [
    'usage.gpu',
    { cluster_id: id, node_id: id, gpu_type: id, gpus: integer(1024), start: time, end: time, 'tags?': tags },
  ],
  ['usage.storage', { volume_id: id, size_gib: integer(2 ** 40), start: time, end: time, 'tags?': tags }],
  ['account.opened', { 'name?': (value) => typeof value === 'string', 'policy?': policy }],
  ['policy.set', { policy }],
  [
    'credits.granted',
    { grant_id: id, amount: positive, kind: oneOf('promotional', 'adjustment', 'paid'), 'expires_at?': time },
  ],
  [
    'reservation.purchased',
    {
      reservation_id: id,
      cluster_id: id,
      gpu_type: id,
      gpus: integer(1e6),
      starts_at: time,
      ends_at: time,
      price_per_gpu_hour: price,
      payment: oneOf('upfront', 'on_provision'),
      'overdraft?': (value) => typeof value === 'boolean',
    },
  ],
  ['reservation.extended', { reservation_id: id, ends_at: time, 'price_per_gpu_hour?': price }],
  ['reservation.cancelled', { reservation_id: id, ends_at: time, refund: amount }],
  ['cluster.provisioned', { cluster_id: id }],
  ['cluster.decommissioned', { cluster_id: id }],
  ['volume.created', { volume_id: id }],
  ['volume.decommissioned', { volume_id: id }],
  ['prices.published', { effective_from: time, gpu_hour: prices, 'gib_month?': price }],
  ['contract.priced', { effective_from: time, 'gpu_hour?': prices, 'gib_month?': price }],
  ['clock.tick', {}],
]);

export interface Envelope {
  readonly id: string;
  readonly type: string;
  readonly subject: string | undefined;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Reads one line of the log. @throws Error that says what of SPEC E it does not hold */
export function readEvent(line: string): Envelope {
  const event: unknown = JSON.parse(line);
  const fail = (what: string): never => {
    throw new Error(`${what}: ${line}`);
  };
  if (!isRecord(event)) return fail('not an object');
  if (event.specversion !== '1.0') fail('specversion');
  if (!id(event.id) || typeof event.id !== 'string') return fail('id');
  if (typeof event.source !== 'string' || event.source === '' || event.source.length > 256) fail('source');
  if (!time(event.time) || typeof event.time !== 'string') return fail('time');
  const shape = SHAPES.get(String(event.type));
  if (shape === undefined || typeof event.type !== 'string') return fail('type');
  const global = event.type === 'prices.published' || event.type === 'clock.tick';
  if (global ? event.subject !== undefined : !id(event.subject)) fail('subject');
  if (!isRecord(event.data)) return fail('data');

  const { data } = event;
  const known = Object.keys(shape).map((name) => name.replace('?', ''));
  for (const name of Object.keys(data)) if (!known.includes(name)) fail(`unknown member ${name}`);
  for (const [name, check] of Object.entries(shape)) {
    const value = data[name.replace('?', '')];
    if (value === undefined ? !name.endsWith('?') : !check(value)) fail(`member ${name}`);
  }
  const at = Date.parse(event.time);
  if (event.type.startsWith('usage.')) {
    const ms = Date.parse(String(data.end)) - Date.parse(String(data.start));
    if (ms <= 0 || ms > 86_400_000) fail('interval');
    if (Date.parse(String(data.end)) > at + 300_000) fail('in_future');
  }
  const subject = typeof event.subject === 'string' ? event.subject : undefined;
  return { id: event.id, type: event.type, subject, at, data };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
