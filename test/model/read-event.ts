import { parseAmount, parsePrice } from './amounts.ts';
import { parseTime } from './calendar.ts';
import type { Fraction } from './fraction.ts';
import { members } from './json.ts';
import { type Policy, parsePolicy } from './policy.ts';

/** What an event says, by type (the table of E). Optional members are undefined where absent. */
export type Body =
  | {
      type: 'usage.gpu';
      clusterId: string;
      nodeId: string;
      gpuType: string;
      gpus: number;
      start: number;
      end: number;
      tags: unknown;
    }
  | { type: 'usage.storage'; volumeId: string; sizeGib: number; start: number; end: number; tags: unknown }
  | { type: 'account.opened'; policy: Policy | undefined }
  | { type: 'policy.set'; policy: Policy }
  | { type: 'credits.granted'; grantId: string; amount: bigint; kind: GrantKind; expiresAt: number | undefined }
  | Purchase
  | { type: 'reservation.extended'; reservationId: string; endsAt: number; price: Fraction | undefined }
  | {
      type: 'reservation.cancelled';
      reservationId: string;
      endsAt: number;
      refund: bigint;
      decommission: boolean | undefined;
    }
  | { type: 'cluster.provisioned' | 'cluster.decommissioned'; clusterId: string }
  | { type: 'volume.created' | 'volume.decommissioned'; volumeId: string }
  | {
      type: 'prices.published' | 'contract.priced';
      effectiveFrom: number;
      gpuHour: Map<string, Fraction>;
      gibMonth: Fraction | undefined;
    }
  | { type: 'clock.tick' };

export interface Purchase {
  type: 'reservation.purchased';
  reservationId: string;
  clusterId: string;
  gpuType: string;
  gpus: number;
  startsAt: number;
  endsAt: number;
  price: Fraction;
  payment: 'upfront' | 'on_provision';
  overdraft: boolean | undefined;
}

export type GrantKind = 'promotional' | 'adjustment' | 'paid';

export interface ModelEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** The account, absent for what concerns them all. */
  readonly subject: string | undefined;
  readonly time: number;
  /** As sent, `{}` where absent: what E3 compares. */
  readonly data: unknown;
  readonly body: Body;
  readonly forwarded: boolean;
}

export type Refused = 'malformed' | 'unknown_type' | 'invalid_field';

/** E: one line's JSON value as an event, or the first of the reasons that need no state. */
export function readEvent(value: unknown): ModelEvent | Refused {
  const envelope = members(value);
  if (envelope === undefined || envelope.get('specversion') !== '1.0') return 'malformed';
  const id = parseId(envelope.get('id'));
  const source = parseSource(envelope.get('source'));
  const time = parseTime(envelope.get('time'));
  const type = envelope.get('type');
  if (id === undefined || source === undefined || time === undefined || typeof type !== 'string' || type === '')
    return 'malformed';
  const subject = parseId(envelope.get('subject'));
  if (envelope.has('subject') && subject === undefined) return 'malformed';
  const read = readers.get(type);
  if (read === undefined) return 'unknown_type';
  if ((subject === undefined) !== withoutAccount.includes(type)) return 'malformed';
  const data = envelope.has('data') ? envelope.get('data') : {};
  const given = members(data);
  const body = given === undefined ? undefined : read(given);
  if (body === undefined) return 'invalid_field';
  return { id, source, type, subject, time, data, body, forwarded: envelope.get('forwarded') === true };
}

const withoutAccount = ['prices.published', 'clock.tick'];

type Parse<T> = (value: unknown) => T | undefined;
type Field<T> = { parse: Parse<T>; optional: boolean };
type Shape = Record<string, Field<unknown>>;
type Read<S extends Shape> = {
  [K in keyof S]: S[K] extends { parse: Parse<infer T>; optional: infer O }
    ? O extends true
      ? T | undefined
      : T
    : never;
};

function must<T>(parse: Parse<T>): { parse: Parse<T>; optional: false } {
  return { parse, optional: false };
}

function may<T>(parse: Parse<T>): { parse: Parse<T>; optional: true } {
  return { parse, optional: true };
}

/** The named members, each by its parser; undefined where one is missing, unfit or unknown. */
function fields<S extends Shape>(given: Map<string, unknown>, shape: S): Read<S> | undefined {
  const read = new Map<string, unknown>();
  const known = new Map(Object.entries(shape));
  for (const name of given.keys()) if (!known.has(name)) return undefined;
  for (const [name, field] of known) {
    const value = given.has(name) ? field.parse(given.get(name)) : undefined;
    if (value === undefined && (given.has(name) || !field.optional)) return undefined;
    read.set(name, value);
  }
  return Object.fromEntries(read) as Read<S>;
}

const readers = new Map<string, (given: Map<string, unknown>) => Body | undefined>([
  [
    'usage.gpu',
    (given) => {
      const d = fields(given, {
        cluster_id: must(parseId),
        node_id: must(parseId),
        gpu_type: must(parseId),
        gpus: must(between(1, 1024)),
        start: must(parseTime),
        end: must(parseTime),
        tags: may(parseTags),
      });
      if (d === undefined) return undefined;
      const { start, end, gpus, tags } = d;
      return {
        type: 'usage.gpu',
        clusterId: d.cluster_id,
        nodeId: d.node_id,
        gpuType: d.gpu_type,
        gpus,
        start,
        end,
        tags,
      };
    },
  ],
  [
    'usage.storage',
    (given) => {
      const d = fields(given, {
        volume_id: must(parseId),
        size_gib: must(between(1, 2 ** 40)),
        start: must(parseTime),
        end: must(parseTime),
        tags: may(parseTags),
      });
      if (d === undefined) return undefined;
      return {
        type: 'usage.storage',
        volumeId: d.volume_id,
        sizeGib: d.size_gib,
        start: d.start,
        end: d.end,
        tags: d.tags,
      };
    },
  ],
  [
    'account.opened',
    (given) => {
      const d = fields(given, { name: may(parseName), policy: may(parsePolicy) });
      return d && { type: 'account.opened', policy: d.policy };
    },
  ],
  [
    'policy.set',
    (given) => {
      const d = fields(given, { policy: must(parsePolicy) });
      return d && { type: 'policy.set', policy: d.policy };
    },
  ],
  [
    'credits.granted',
    (given) => {
      const d = fields(given, {
        grant_id: must(parseId),
        amount: must(parsePositive),
        kind: must(parseGrantKind),
        expires_at: may(parseTime),
      });
      return (
        d && { type: 'credits.granted', grantId: d.grant_id, amount: d.amount, kind: d.kind, expiresAt: d.expires_at }
      );
    },
  ],
  ['reservation.purchased', readPurchase],
  [
    'reservation.extended',
    (given) => {
      const d = fields(given, {
        reservation_id: must(parseId),
        ends_at: must(parseTime),
        price_per_gpu_hour: may(parsePrice),
      });
      return (
        d && {
          type: 'reservation.extended',
          reservationId: d.reservation_id,
          endsAt: d.ends_at,
          price: d.price_per_gpu_hour,
        }
      );
    },
  ],
  [
    'reservation.cancelled',
    (given) => {
      const d = fields(given, {
        reservation_id: must(parseId),
        ends_at: must(parseTime),
        refund: must(parseAmount),
        decommission: may(parseBoolean),
      });
      if (d === undefined) return undefined;
      const { refund, decommission } = d;
      return {
        type: 'reservation.cancelled',
        reservationId: d.reservation_id,
        endsAt: d.ends_at,
        refund,
        decommission,
      };
    },
  ],
  ['cluster.provisioned', (given) => onCluster('cluster.provisioned', given)],
  ['cluster.decommissioned', (given) => onCluster('cluster.decommissioned', given)],
  ['volume.created', (given) => onVolume('volume.created', given)],
  ['volume.decommissioned', (given) => onVolume('volume.decommissioned', given)],
  [
    'prices.published',
    (given) => {
      const d = fields(given, {
        effective_from: must(parseTime),
        gpu_hour: must(parsePrices),
        gib_month: may(parsePrice),
      });
      return (
        d && { type: 'prices.published', effectiveFrom: d.effective_from, gpuHour: d.gpu_hour, gibMonth: d.gib_month }
      );
    },
  ],
  [
    'contract.priced',
    (given) => {
      const d = fields(given, {
        effective_from: must(parseTime),
        gpu_hour: may(parsePrices),
        gib_month: may(parsePrice),
      });
      return (
        d && {
          type: 'contract.priced',
          effectiveFrom: d.effective_from,
          gpuHour: d.gpu_hour ?? new Map(),
          gibMonth: d.gib_month,
        }
      );
    },
  ],
  ['clock.tick', (given) => (given.size === 0 ? { type: 'clock.tick' } : undefined)],
]);

function readPurchase(given: Map<string, unknown>): Body | undefined {
  const d = fields(given, {
    reservation_id: must(parseId),
    cluster_id: must(parseId),
    gpu_type: must(parseId),
    gpus: must(between(1, 1_000_000)),
    starts_at: must(parseTime),
    ends_at: must(parseTime),
    price_per_gpu_hour: must(parsePrice),
    payment: must(parsePayment),
    overdraft: may(parseBoolean),
  });
  if (d === undefined || d.starts_at >= d.ends_at) return undefined;
  return {
    type: 'reservation.purchased',
    reservationId: d.reservation_id,
    clusterId: d.cluster_id,
    gpuType: d.gpu_type,
    gpus: d.gpus,
    startsAt: d.starts_at,
    endsAt: d.ends_at,
    price: d.price_per_gpu_hour,
    payment: d.payment,
    overdraft: d.overdraft,
  };
}

function onCluster(
  type: 'cluster.provisioned' | 'cluster.decommissioned',
  given: Map<string, unknown>,
): Body | undefined {
  const d = fields(given, { cluster_id: must(parseId) });
  return d && { type, clusterId: d.cluster_id };
}

function onVolume(type: 'volume.created' | 'volume.decommissioned', given: Map<string, unknown>): Body | undefined {
  const d = fields(given, { volume_id: must(parseId) });
  return d && { type, volumeId: d.volume_id };
}

function parseId(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z0-9._:-]{1,128}$/.test(value) ? value : undefined;
}

function parseSource(value: unknown): string | undefined {
  return typeof value === 'string' && value.length >= 1 && value.length <= 256 && wellFormed(value) ? value : undefined;
}

/** No half of a surrogate pair stands alone in the text. */
function wellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** A name: at most 256 characters of well-formed Unicode. */
function parseName(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= 256 && wellFormed(value) ? value : undefined;
}

function parseBoolean(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

function parsePositive(value: unknown): bigint | undefined {
  const amount = parseAmount(value);
  return amount === 0n ? undefined : amount;
}

function parseGrantKind(value: unknown): GrantKind | undefined {
  return value === 'promotional' || value === 'adjustment' || value === 'paid' ? value : undefined;
}

function parsePayment(value: unknown): 'upfront' | 'on_provision' | undefined {
  return value === 'upfront' || value === 'on_provision' ? value : undefined;
}

function between(least: number, most: number): Parse<number> {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : undefined;
}

function parseTags(value: unknown): unknown {
  const pairs = members(value);
  if (pairs === undefined || pairs.size > 16) return undefined;
  for (const [key, text] of pairs) {
    if (key.length > 64 || typeof text !== 'string' || text.length > 64) return undefined;
    if (!wellFormed(key) || !wellFormed(text)) return undefined;
  }
  return value;
}

function parsePrices(value: unknown): Map<string, Fraction> | undefined {
  const given = members(value);
  if (given === undefined || given.size > 1024) return undefined;
  const prices = new Map<string, Fraction>();
  for (const [gpuType, text] of given) {
    const price = parsePrice(text);
    if (parseId(gpuType) === undefined || price === undefined) return undefined;
    prices.set(gpuType, price);
  }
  return prices;
}
