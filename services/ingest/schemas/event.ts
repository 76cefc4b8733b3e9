import { type TProperties, type TSchema, Type } from '@fastify/type-provider-typebox';
import { ID_PATTERN } from './common.ts';

/** The inputs of E as JSON Schema, for the OpenAPI file. What decides is `parseEvent`; a test holds the two together. */
const id = (description?: string) => Type.String({ pattern: ID_PATTERN, ...(description && { description }) });
const instant = () =>
  Type.Union([
    Type.String({
      format: 'date-time',
      description: 'RFC 3339, any offset; digits beyond the millisecond are cut off',
    }),
    Type.Integer({ minimum: 0, maximum: 253_402_300_799_999, description: 'milliseconds since 1970' }),
  ]);
const amount = () => Type.String({ pattern: '^\\d{1,12}(\\.\\d{1,9})?$', description: 'USD' });
const price = (unit: string) => Type.String({ pattern: '^\\d{1,12}(\\.\\d{1,6})?$', description: `USD per ${unit}` });
const prices = () =>
  Type.Record(Type.String(), price('GPU-hour'), { maxProperties: 1024, propertyNames: { pattern: ID_PATTERN } });
const tags = () =>
  Type.Record(Type.String(), Type.String({ maxLength: 64 }), {
    maxProperties: 16,
    propertyNames: { maxLength: 64 },
    description: 'kept on the rated line',
  });
const duration = () => Type.String({ pattern: '^\\d{1,6}[smhd]$' });
const durations = (least: number) => Type.Array(duration(), { minItems: least, maxItems: 32 });
const closed = (properties: TProperties) => Type.Object(properties, { additionalProperties: false });

const policy = () =>
  closed({
    low_runway: Type.Optional(durations(0)),
    realert_after: Type.Optional(duration()),
    burst_decommission_after: Type.Optional(duration()),
    pause_after: Type.Optional(duration()),
    decommission_paused_after: Type.Optional(duration()),
    revoke_after: Type.Optional(duration()),
    decommission_revoked_after: Type.Optional(duration()),
    reservation_end_notices: Type.Optional(durations(1)),
    credit_expiry_notices: Type.Optional(durations(0)),
    resume_runway: Type.Optional(duration()),
    activity_window: Type.Optional(duration()),
    overdue_after: Type.Optional(duration()),
    stale_after: Type.Optional(duration()),
  });

const DATA: ReadonlyMap<string, TSchema> = new Map<string, TSchema>([
  [
    'usage.gpu',
    closed({
      cluster_id: id(),
      node_id: id(),
      gpu_type: id(),
      gpus: Type.Integer({ minimum: 1, maximum: 1024 }),
      start: instant(),
      end: instant(),
      tags: Type.Optional(tags()),
    }),
  ],
  [
    'usage.storage',
    closed({
      volume_id: id(),
      size_gib: Type.Integer({ minimum: 1, maximum: 2 ** 40 }),
      start: instant(),
      end: instant(),
      tags: Type.Optional(tags()),
    }),
  ],
  ['account.opened', closed({ name: Type.Optional(Type.String({ maxLength: 256 })), policy: Type.Optional(policy()) })],
  ['policy.set', closed({ policy: policy() })],
  [
    'credits.granted',
    closed({
      grant_id: id(),
      amount: amount(),
      kind: Type.String({ enum: ['promotional', 'adjustment', 'paid'] }),
      expires_at: Type.Optional(instant()),
    }),
  ],
  [
    'reservation.purchased',
    closed({
      reservation_id: id(),
      cluster_id: id(),
      gpu_type: id(),
      gpus: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
      starts_at: instant(),
      ends_at: instant(),
      price_per_gpu_hour: price('GPU-hour'),
      payment: Type.String({ enum: ['upfront', 'on_provision'] }),
      overdraft: Type.Optional(Type.Boolean()),
    }),
  ],
  [
    'reservation.extended',
    closed({ reservation_id: id(), ends_at: instant(), price_per_gpu_hour: Type.Optional(price('GPU-hour')) }),
  ],
  [
    'reservation.cancelled',
    closed({ reservation_id: id(), ends_at: instant(), refund: amount(), decommission: Type.Optional(Type.Boolean()) }),
  ],
  ['cluster.provisioned', closed({ cluster_id: id() })],
  ['cluster.decommissioned', closed({ cluster_id: id() })],
  ['volume.created', closed({ volume_id: id() })],
  ['volume.decommissioned', closed({ volume_id: id() })],
  [
    'prices.published',
    closed({
      effective_from: instant(),
      gpu_hour: prices(),
      gib_month: Type.Optional(price('GiB-month of 730 hours')),
    }),
  ],
  [
    'contract.priced',
    closed({
      effective_from: instant(),
      gpu_hour: Type.Optional(prices()),
      gib_month: Type.Optional(price('GiB-month of 730 hours')),
    }),
  ],
  ['clock.tick', closed({})],
]);

const WITHOUT_SUBJECT: ReadonlySet<string> = new Set(['prices.published', 'clock.tick']);
/** E: `data` that is absent counts as `{}`, so it may be absent where nothing in it is needed. */
const WITHOUT_DATA: ReadonlySet<string> = new Set(['account.opened', 'clock.tick']);

function eventOf(type: string, data: TSchema): TSchema {
  return Type.Object(
    {
      specversion: Type.Literal('1.0'),
      id: id('once for each event of a source'),
      source: Type.String({ minLength: 1, maxLength: 256 }),
      type: Type.Literal(type),
      ...(!WITHOUT_SUBJECT.has(type) && { subject: id('the account') }),
      time: Type.Optional(
        Type.Unknown({ description: 'ignored, unless the log takes the times of the events (imports)' }),
      ),
      data: WITHOUT_DATA.has(type) ? Type.Optional(data) : data,
    },
    { title: type, ...(WITHOUT_SUBJECT.has(type) && { not: { required: ['subject'] } }) },
  );
}

/** E: one event of any type; routes refer to it by `EVENT_REF`. */
export const eventSchema = Type.Union(
  [...DATA].map(([type, data]) => eventOf(type, data)),
  { $id: 'Event' },
);
export const EVENT_REF = { $ref: 'Event#' };
