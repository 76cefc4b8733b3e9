import { parseAmount, parsePrice } from '../money.ts';
import { parseInstant } from '../time.ts';
import type { Envelope, EventBody, EventType, GrantKind, MeteringEvent, Payment, Refusal, Tags } from './event.ts';
import { parsePolicy } from './policy.ts';

const ID = /^[A-Za-z0-9._:-]{1,128}$/;
/** CloudEvents 1.0 has no such strings, and neither UTF-8 nor a warehouse can keep one. */
const LONE_SURROGATE = /\p{Surrogate}/u;
const SOURCE_LENGTH_MAX = 256;
const TAGS_MAX = 16;
const TAG_LENGTH_MAX = 64;
const GPUS_OF_NODE_MAX = 1024;
const GPUS_OF_RESERVATION_MAX = 1_000_000;
const SIZE_GIB_MAX = 2 ** 40;
const NAME_LENGTH_MAX = 256;
const PRICES_MAX = 1024;

/** What a sender may get wrong: thrown inside the parser only, and returned as a refusal. */
class FieldFault extends Error {}

/** True for an id of E: `[A-Za-z0-9._:-]{1,128}`. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

/**
 * E4: reads one JSON value as an event: `malformed`, `unknown_type` and `invalid_field` are decided here, in that order.
 * @param value the parsed JSON
 * @param time the log's stamp; if it is undefined the event's own `time` is taken (files, imports) and must be there
 */
export function parseEvent(value: unknown, time: number | undefined): MeteringEvent | Refusal {
  const envelope = parseEnvelope(value, time);
  if ('reason' in envelope) return envelope;
  const reader = READERS.get(envelope.type);
  if (reader === undefined) {
    return {
      reason: 'unknown_type',
      detail: `type: ${quote(envelope.type)} is none of ${[...READERS.keys()].join(', ')}`,
    };
  }
  const misplaced = subjectFault(envelope.type, envelope.subject);
  if (misplaced !== undefined) return { reason: 'malformed', detail: misplaced };
  try {
    const fields = new Fields(envelope.data);
    const body = reader(fields);
    if (fields.allRead()) return { envelope, body };
    const noting = new NotingFields(envelope.data);
    reader(noting);
    throw fault(noting.unread(), 'no such member');
  } catch (fault) {
    if (fault instanceof FieldFault) return { reason: 'invalid_field', detail: fault.message };
    throw fault;
  }
}

const WITHOUT_SUBJECT: ReadonlySet<string> = new Set(['prices.published', 'clock.tick']);

/** E: `subject` is the account, and absent for what concerns all of them. */
function subjectFault(type: string, subject: string | undefined): string | undefined {
  if (WITHOUT_SUBJECT.has(type)) return subject === undefined ? undefined : `subject: must be absent for ${type}`;
  return subject === undefined ? `subject: missing; ${type} needs the account's id` : undefined;
}

type ParsedEnvelope = Envelope & { readonly type: string };

function parseEnvelope(value: unknown, stamped: number | undefined): ParsedEnvelope | Refusal {
  if (!isRecord(value)) return malformed('an event must be a JSON object');
  const { specversion, id, source, type, subject, forwarded, time: own, data: sent } = value;
  if (specversion !== '1.0') return malformed('specversion: must be "1.0"');
  if (!isId(id)) return malformed('id: must match [A-Za-z0-9._:-]{1,128}');
  if (typeof source !== 'string' || source.length === 0 || source.length > SOURCE_LENGTH_MAX) {
    return malformed(`source: must be a string of 1 to ${SOURCE_LENGTH_MAX} characters`);
  }
  if (LONE_SURROGATE.test(source))
    return malformed('source: has half of a surrogate pair, which no UTF-8 text can hold');
  if (typeof type !== 'string' || type.length === 0) return malformed('type: must be a non-empty string');
  if (subject !== undefined && !isId(subject)) return malformed('subject: must match [A-Za-z0-9._:-]{1,128}');
  const time = stamped ?? parseInstant(own);
  if (time === undefined) return malformed('time: must be RFC 3339 or integer milliseconds, from 1970 to 9999');
  const data = sent === undefined ? {} : sent;
  return { id, source, type, subject, time, forwarded: forwarded === true && type === 'prices.published', data };
}

function malformed(detail: string): Refusal {
  return { reason: 'malformed', detail };
}

type Reader = (fields: Fields) => EventBody;

const READERS: ReadonlyMap<string, Reader> = new Map<EventType, Reader>([
  [
    'usage.gpu',
    (f) => ({
      type: 'usage.gpu',
      clusterId: f.id('cluster_id'),
      nodeId: f.id('node_id'),
      gpuType: f.id('gpu_type'),
      gpus: f.integer('gpus', 1, GPUS_OF_NODE_MAX),
      start: f.instant('start'),
      end: f.instant('end'),
      tags: f.tags('tags'),
    }),
  ],
  [
    'usage.storage',
    (f) => ({
      type: 'usage.storage',
      volumeId: f.id('volume_id'),
      sizeGib: f.integer('size_gib', 1, SIZE_GIB_MAX),
      start: f.instant('start'),
      end: f.instant('end'),
      tags: f.tags('tags'),
    }),
  ],
  [
    'account.opened',
    (f) => ({ type: 'account.opened', name: f.optionalText('name'), policy: f.policy('policy', false) }),
  ],
  ['policy.set', (f) => ({ type: 'policy.set', policy: f.policy('policy', true) })],
  [
    'credits.granted',
    (f) => ({
      type: 'credits.granted',
      grantId: f.id('grant_id'),
      amountNanos: f.amount('amount', 1n),
      kind: f.oneOf<GrantKind>('kind', ['promotional', 'adjustment', 'paid']),
      expiresAt: f.optionalInstant('expires_at'),
    }),
  ],
  [
    'reservation.purchased',
    (f) => {
      const startsAt = f.instant('starts_at');
      const endsAt = f.instant('ends_at');
      if (startsAt >= endsAt) throw new FieldFault('data.ends_at: must be after data.starts_at');
      return {
        type: 'reservation.purchased',
        reservationId: f.id('reservation_id'),
        clusterId: f.id('cluster_id'),
        gpuType: f.id('gpu_type'),
        gpus: f.integer('gpus', 1, GPUS_OF_RESERVATION_MAX),
        startsAt,
        endsAt,
        priceMicros: f.price('price_per_gpu_hour'),
        payment: f.oneOf<Payment>('payment', ['upfront', 'on_provision']),
        overdraft: f.flag('overdraft'),
      };
    },
  ],
  [
    'reservation.extended',
    (f) => ({
      type: 'reservation.extended',
      reservationId: f.id('reservation_id'),
      endsAt: f.instant('ends_at'),
      priceMicros: f.optionalPrice('price_per_gpu_hour'),
    }),
  ],
  [
    'reservation.cancelled',
    (f) => ({
      type: 'reservation.cancelled',
      reservationId: f.id('reservation_id'),
      endsAt: f.instant('ends_at'),
      refundNanos: f.amount('refund', 0n),
      decommission: f.flag('decommission'),
    }),
  ],
  ['cluster.provisioned', (f) => ({ type: 'cluster.provisioned', clusterId: f.id('cluster_id') })],
  ['cluster.decommissioned', (f) => ({ type: 'cluster.decommissioned', clusterId: f.id('cluster_id') })],
  ['volume.created', (f) => ({ type: 'volume.created', volumeId: f.id('volume_id') })],
  ['volume.decommissioned', (f) => ({ type: 'volume.decommissioned', volumeId: f.id('volume_id') })],
  [
    'prices.published',
    (f) => ({
      type: 'prices.published',
      effectiveFrom: f.instant('effective_from'),
      gpuHour: f.prices('gpu_hour', true),
      gibMonth: f.optionalPrice('gib_month'),
    }),
  ],
  [
    'contract.priced',
    (f) => ({
      type: 'contract.priced',
      effectiveFrom: f.instant('effective_from'),
      gpuHour: f.prices('gpu_hour', false),
      gibMonth: f.optionalPrice('gib_month'),
    }),
  ],
  ['clock.tick', () => ({ type: 'clock.tick' })],
]);

/** The members of an event's `data`, each read at most once; a member that nobody read is unknown. */
class Fields {
  readonly #data: Readonly<Record<string, unknown>>;
  #read = 0;

  constructor(data: unknown) {
    if (!isRecord(data)) throw new FieldFault('data: must be a JSON object');
    this.#data = data;
  }

  id(name: string): string {
    const value = this.take(name);
    if (typeof value !== 'string' || !ID.test(value)) throw fault(name, 'must match [A-Za-z0-9._:-]{1,128}');
    return value;
  }

  integer(name: string, least: number, most: number): number {
    const value = this.take(name);
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      throw fault(name, `must be an integer from ${least} to ${most}`);
    }
    return value;
  }

  instant(name: string): number {
    const at = parseInstant(this.take(name));
    if (at === undefined) throw fault(name, 'must be RFC 3339 or integer milliseconds, from 1970 to 9999');
    return at;
  }

  optionalInstant(name: string): number | undefined {
    return this.has(name) ? this.instant(name) : undefined;
  }

  amount(name: string, least: bigint): bigint {
    const amount = parseAmount(this.take(name));
    if (amount === undefined) throw fault(name, 'must be a decimal string in USD like "12.5", at most 12 and 9 digits');
    if (amount < least) throw fault(name, 'must be greater than 0');
    return amount;
  }

  price(name: string): bigint {
    return readPrice(name, this.take(name));
  }

  optionalPrice(name: string): bigint | undefined {
    return this.has(name) ? this.price(name) : undefined;
  }

  prices(name: string, required: boolean): ReadonlyMap<string, bigint> {
    if (!required && !this.has(name)) return new Map();
    const value = this.take(name);
    if (!isRecord(value)) throw fault(name, 'must be an object of {gpu_type: price}');
    const entries = Object.entries(value);
    if (entries.length > PRICES_MAX) throw fault(name, `must have at most ${PRICES_MAX} members`);
    const prices = new Map<string, bigint>();
    for (const [gpuType, price] of entries) {
      if (!ID.test(gpuType)) throw fault(name, `${quote(gpuType)} is no gpu_type: must match [A-Za-z0-9._:-]{1,128}`);
      prices.set(gpuType, readPrice(`${name}.${gpuType}`, price));
    }
    return prices;
  }

  oneOf<Value extends string>(name: string, values: readonly Value[]): Value {
    const value = this.take(name);
    const found = values.find((one) => one === value);
    if (found === undefined) throw fault(name, `must be one of ${values.join(', ')}`);
    return found;
  }

  flag(name: string): boolean {
    if (!this.has(name)) return false;
    const value = this.take(name);
    if (typeof value !== 'boolean') throw fault(name, 'must be true or false');
    return value;
  }

  optionalText(name: string): string | undefined {
    if (!this.has(name)) return undefined;
    const value = this.take(name);
    if (typeof value !== 'string' || value.length > NAME_LENGTH_MAX) {
      throw fault(name, `must be a string of at most ${NAME_LENGTH_MAX} characters`);
    }
    if (LONE_SURROGATE.test(value)) throw fault(name, 'has half of a surrogate pair, which no UTF-8 text can hold');
    return value;
  }

  policy(name: string, required: boolean): ReturnType<typeof policyOrFault> {
    if (!required && !this.has(name)) return {};
    return policyOrFault(this.take(name));
  }

  tags(name: string): Tags | undefined {
    if (!this.has(name)) return undefined;
    const value = this.take(name);
    if (!isRecord(value)) throw fault(name, 'must be an object of strings');
    const entries = Object.entries(value);
    if (entries.length > TAGS_MAX) throw fault(name, `must have at most ${TAGS_MAX} members`);
    const tags = new Map<string, string>();
    for (const [key, text] of entries) {
      if (typeof text !== 'string' || key.length > TAG_LENGTH_MAX || text.length > TAG_LENGTH_MAX) {
        throw fault(name, `${quote(key)}: key and value must be strings of at most ${TAG_LENGTH_MAX} characters`);
      }
      if (LONE_SURROGATE.test(key) || LONE_SURROGATE.test(text)) {
        throw fault(name, `${quote(key)}: has half of a surrogate pair, which no UTF-8 text can hold`);
      }
      tags.set(key, text);
    }
    return tags;
  }

  /** E: unknown members are refused, so that a misspelt field never changes a bill. */
  allRead(): boolean {
    return Object.keys(this.#data).length === this.#read;
  }

  protected has(name: string): boolean {
    return Object.hasOwn(this.#data, name);
  }

  protected take(name: string): unknown {
    if (!Object.hasOwn(this.#data, name)) throw fault(name, 'missing');
    this.#read += 1;
    return this.#data[name];
  }

  protected names(): readonly string[] {
    return Object.keys(this.#data);
  }
}

/** Notes which members are read, to name one that is not: for the rare event that has one. */
class NotingFields extends Fields {
  readonly #known = new Set<string>();

  unread(): string {
    return this.names().find((name) => !this.#known.has(name)) ?? '';
  }

  protected override take(name: string): unknown {
    this.#known.add(name);
    return super.take(name);
  }
}

function policyOrFault(value: unknown): Exclude<ReturnType<typeof parsePolicy>, string> {
  const policy = parsePolicy(value);
  if (typeof policy === 'string') throw new FieldFault(`data.${policy}`);
  return policy;
}

function readPrice(name: string, value: unknown): bigint {
  const price = parsePrice(value);
  if (price === undefined) throw fault(name, 'must be a decimal string in USD like "3.49", at most 12 and 6 digits');
  return price;
}

function fault(name: string, problem: string): FieldFault {
  return new FieldFault(`data.${name}: ${problem}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A sender's text inside a message, bounded. */
function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
}
