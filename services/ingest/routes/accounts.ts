import { Type } from '@fastify/type-provider-typebox';
import { formatInstant, HOUR_MS, type Instant, monthOf, monthStart, parseInstant } from '../../shared/time.ts';
import { type Door, type DoorContext, senderOf } from '../context.ts';
import { maySee, type Sender } from '../core/permissions.ts';
import { Problem } from '../problems.ts';
import { accountAnswer, usageAnswer } from '../schemas/answers.ts';
import { GUARDED, id, problemResponses } from '../schemas/common.ts';
import { accountJson, usageLineJson } from '../wire.ts';

const USAGE_LINES_MAX = 10_000;
/** The longest interval that is summed in one request. */
const USAGE_HOURS_MAX = 400 * 24;

const params = Type.Object({ id: id('of the account') });

const usageQuery = Type.Object(
  {
    from: Type.Optional(
      Type.String({ description: 'RFC 3339 or ms, on a full UTC hour; the beginning of this month without it' }),
    ),
    to: Type.Optional(
      Type.String({ description: 'RFC 3339 or ms, on a full UTC hour; the end of this hour without it' }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: USAGE_LINES_MAX, description: 'lines; 1000 without it' })),
    after: Type.Optional(Type.String({ maxLength: 1024, description: '`next` of the page before' })),
  },
  { additionalProperties: false },
);

/** `GET /v1/accounts/{id}` and `/usage`: how an account stands, and what it used. */
export function accountRoutes(door: Door, context: DoorContext): void {
  const { queries, clock } = context.deps;

  door.get(
    '/v1/accounts/:id',
    {
      schema: {
        operationId: 'getAccount',
        tags: ['accounts'],
        summary: 'How an account stands: balance, burn rate, runway, and what comes when',
        params,
        response: {
          200: { description: 'As of `as_of`', content: { 'application/json': { schema: accountAnswer } } },
          ...problemResponses(...GUARDED, 'forbidden', 'not_found'),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      requireSight(senderOf(request), id);
      const view = await queries.account(id);
      if (view === undefined) throw unknownAccount(id);
      return accountJson(view);
    },
  );

  door.get(
    '/v1/accounts/:id/usage',
    {
      schema: {
        operationId: 'getUsage',
        tags: ['accounts'],
        summary: 'What an account used and what it cost, by resource, category and price',
        params,
        querystring: usageQuery,
        response: {
          200: { description: 'A page of lines', content: { 'application/json': { schema: usageAnswer } } },
          ...problemResponses(...GUARDED, 'forbidden', 'not_found'),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      requireSight(senderOf(request), id);
      const now = clock();
      const from = hour('from', request.query.from) ?? monthStart(monthOf(now));
      const to = hour('to', request.query.to) ?? (Math.floor(now / HOUR_MS) + 1) * HOUR_MS;
      if (from >= to) throw new Problem('bad_request', 'from: must be before to');
      if (to - from > USAGE_HOURS_MAX * HOUR_MS)
        throw new Problem('bad_request', `to: at most ${USAGE_HOURS_MAX} hours after from`);
      const { limit = 1000, after } = request.query;
      const page = await queries.usage({ accountId: id, from, to, limit, after });
      if (page === undefined) throw unknownAccount(id);
      return {
        account_id: id,
        as_of: formatInstant(page.asOf),
        from: formatInstant(from),
        to: formatInstant(to),
        lines: page.items.map(usageLineJson),
        next: page.next ?? null,
      };
    },
  );
}

/** @throws Problem `forbidden` if the key may not see this account */
export function requireSight(sender: Sender, accountId: string): void {
  if (!maySee(sender, accountId)) throw new Problem('forbidden', `this key may not see account ${accountId}`);
}

function unknownAccount(accountId: string): Problem {
  return new Problem('not_found', `account ${accountId} was not opened`);
}

/** Rated lines do not cross a UTC hour (R3), so usage can be told apart by full hours only. */
function hour(name: string, given: string | undefined): Instant | undefined {
  if (given === undefined) return undefined;
  const at = parseInstant(/^\d{1,15}$/.test(given) ? Number(given) : given);
  if (at === undefined)
    throw new Problem('bad_request', `${name}: must be RFC 3339 or integer milliseconds, from 1970 to 9999`);
  if (at % HOUR_MS !== 0) throw new Problem('bad_request', `${name}: must be a full UTC hour`);
  return at;
}
