import { Type } from '@fastify/type-provider-typebox';
import { REJECTION_REASONS } from '../../shared/contracts/event.ts';
import { id, instant, unitPrice, usd } from './common.ts';

const closed = { additionalProperties: false } as const;
const reason = (...others: readonly string[]) => Type.String({ enum: [...REJECTION_REASONS, ...others] });
const text = (values: readonly string[]) => Type.String({ enum: [...values] });

const position = Type.Object({ partition: Type.Integer({ minimum: 0 }), offset: Type.Integer({ minimum: 0 }) }, closed);

const verdict = Type.Union([
  Type.Object({ status: text(['applied', 'duplicate', 'pending']) }, closed),
  Type.Object({ status: Type.Literal('rejected'), reason: reason(), detail: Type.String() }, closed),
]);

const result = Type.Union([
  Type.Object(
    {
      index: Type.Integer({ minimum: 0, description: 'the place of the event in what was sent, from 0' }),
      id: id('of the event'),
      source: Type.String(),
      status: Type.Literal('accepted'),
      position,
      verdict: Type.Optional(verdict),
    },
    closed,
  ),
  Type.Object(
    {
      index: Type.Integer({ minimum: 0 }),
      id: Type.Optional(id('of the event, as far as it could be read')),
      source: Type.Optional(Type.String()),
      status: Type.Literal('rejected'),
      reason: reason('forbidden'),
      detail: Type.String(),
    },
    closed,
  ),
]);

export const submittedAnswer = Type.Object(
  {
    accepted: Type.Integer({ minimum: 0 }),
    rejected: Type.Integer({ minimum: 0 }),
    results: Type.Array(result, {
      description: 'one for each event, in order; with `Prefer: return=minimal` only those that were rejected',
    }),
  },
  closed,
);

export const fateAnswer = Type.Object(
  {
    source: Type.String(),
    id: id('of the event'),
    status: text(['applied', 'duplicate', 'rejected', 'pending']),
    events: Type.Array(Type.Object({ account_id: Type.Optional(id('of the account')), position, verdict }, closed), {
      minItems: 1,
      description: 'each time that it came, oldest first; `status` is that of the last',
    }),
  },
  closed,
);

const resource = (kinds: readonly string[]) => Type.Object({ kind: text(kinds), id: Type.String() }, closed);
const scope = text(['cluster', 'burst', 'volume']);

export const accountAnswer = Type.Object(
  {
    account_id: id('of the account'),
    as_of: instant('the time up to which the log has been processed'),
    balance: usd('granted + refunded - charged - expired; below zero is debt'),
    granted: usd('all grants'),
    refunded: usd('all refunds'),
    charged: usd('usage and reservations'),
    expired: usd('what was left of grants at their expiry'),
    burn_rate: usd('an hour'),
    runway_hours: Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
      description: 'how long the balance lasts at this burn rate; null without burn',
    }),
    level: text(['active', 'low', 'exhausted']),
    coming: Type.Array(
      Type.Object(
        {
          resource: resource(['cluster', 'volume']),
          command: text(['pause', 'decommission', 'revoke', 'resume', 'restore']),
          scope,
          gpus: Type.Optional(Type.Integer({ minimum: 0 })),
          at: instant('when it is due'),
        },
        closed,
      ),
      { description: 'what will be done unless the account is restored, in order of time' },
    ),
  },
  closed,
);

const next = Type.Union([Type.String(), Type.Null()], {
  description: 'for `after`, to get the next page; null at the end',
});

export const usageAnswer = Type.Object(
  {
    account_id: id('of the account'),
    as_of: instant('what was let in up to here is in it'),
    from: instant('first instant'),
    to: instant('first instant that is not in it'),
    lines: Type.Array(
      Type.Object(
        {
          resource_kind: text(['cluster', 'volume']),
          resource_id: Type.String(),
          sku: Type.String({ description: 'the gpu_type, or storage' }),
          category: text(['reserved', 'burst', 'on_demand', 'storage']),
          reservation_id: Type.Optional(Type.String()),
          correction: Type.Boolean(),
          quantity_ms: Type.String({ pattern: '^\\d+$', description: 'GPU-milliseconds or GiB-milliseconds' }),
          unit: text(['gpu_hour', 'gib_month']),
          unit_price: unitPrice('USD'),
          list_unit_price: unitPrice('USD'),
          amount: usd('charged'),
          list_amount: usd('at the list price'),
        },
        closed,
      ),
    ),
    next,
  },
  closed,
);

export const ordersAnswer = Type.Object(
  {
    orders: Type.Array(
      Type.Object(
        {
          command_id: Type.String(),
          command: text(['pause', 'resume', 'revoke', 'restore', 'decommission']),
          account_id: id('of the account'),
          resource: resource(['cluster', 'volume']),
          scope: Type.Optional(scope),
          gpus: Type.Optional(Type.Integer({ minimum: 0 })),
          keep: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 0 }))),
          reason: Type.String(),
          notice_id: Type.Optional(Type.String()),
          episode: Type.Optional(Type.Integer({ minimum: 1 })),
          sequence: Type.Integer({ minimum: 1 }),
          attempt: Type.Integer({ minimum: 1 }),
          issued_at: instant('when it was due'),
          balance: usd('of the account, by the last balance update'),
          audience: text(['customer', 'operator']),
          detail: Type.Optional(Type.Object({})),
        },
        closed,
      ),
      { description: 'the command that stands for each resource' },
    ),
    next,
  },
  closed,
);

export const liveAnswer = Type.Object({ status: Type.Literal('live') }, closed);
export const readyAnswer = Type.Object(
  { status: text(['ready', 'not_ready']), reasons: Type.Array(Type.String()) },
  closed,
);
