import { Type } from '@fastify/type-provider-typebox';
import { type Door, type DoorContext, senderOf } from '../context.ts';
import { Problem } from '../problems.ts';
import { ordersAnswer } from '../schemas/answers.ts';
import { GUARDED, id, problemResponses } from '../schemas/common.ts';
import { ordersText } from '../wire.ts';
import { requireSight } from './accounts.ts';

const ORDERS_MAX = 10_000;

const query = Type.Object(
  {
    account_id: Type.Optional(id('of this account only')),
    kind: Type.Optional(Type.Union([Type.Literal('cluster'), Type.Literal('volume')])),
    id: Type.Optional(id('of this resource only; needs account_id and kind')),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: ORDERS_MAX, description: 'orders; 1000 without it' })),
    after: Type.Optional(Type.String({ maxLength: 1024, description: '`next` of the page before' })),
  },
  { additionalProperties: false },
);

/** K: `GET /v1/orders`: what stands for each resource. A consumer asks here before it does what cannot be undone. */
export function orderRoutes(door: Door, context: DoorContext): void {
  door.get(
    '/v1/orders',
    {
      schema: {
        operationId: 'getOrders',
        tags: ['orders'],
        summary: 'The command that stands for each resource',
        querystring: query,
        response: {
          200: { description: 'A page of orders', content: { 'application/json': { schema: ordersAnswer } } },
          ...problemResponses(...GUARDED, 'forbidden'),
        },
      },
    },
    async (request, reply) => {
      const sender = senderOf(request);
      const { account_id: accountId, kind: resourceKind, id: resourceId, limit = 1000, after } = request.query;
      if (accountId !== undefined) requireSight(sender, accountId);
      else if (sender.accounts !== 'all')
        throw new Problem('forbidden', 'account_id: this key must name one of its accounts');
      if (resourceId !== undefined && (accountId === undefined || resourceKind === undefined)) {
        throw new Problem('bad_request', 'id: needs account_id and kind');
      }
      const page = await context.deps.queries.orders({ accountId, resourceKind, resourceId, limit, after });
      return await reply.type('application/json').send(ordersText(page));
    },
  );
}
