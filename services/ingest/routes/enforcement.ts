import { type Static, Type } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { PartitionEnforcement } from '../../shared/contracts/partition-enforcement.ts';
import { formatInstant } from '../../shared/time.ts';
import { type Door, type DoorContext, senderOf } from '../context.ts';
import type { Sender } from '../core/permissions.ts';
import { Problem } from '../problems.ts';
import { unpack } from '../request-body.ts';
import { GUARDED, problemResponses } from '../schemas/common.ts';
import { actAnswer, actBody, enforcementAnswer } from '../schemas/enforcement.ts';
import { requireSight } from './accounts.ts';

const ACCOUNTS_MAX = 10_000;
const BODY_BYTES_MAX = 16 * 1024;

const ACT_PROBLEMS = ['forbidden', 'not_found', 'body_too_large', 'unsupported_media_type', 'door_busy'] as const;

const query = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: ACCOUNTS_MAX, description: 'accounts; 1000 without it' })),
    after: Type.Optional(Type.String({ maxLength: 1024, description: '`next` of the page before' })),
  },
  { additionalProperties: false },
);

const ACTS = [
  {
    kind: 'hold',
    operationId: 'holdEnforcement',
    summary: 'Holds the enforcement of an account, or of all',
    description:
      'From the answer on no pause, revoke or decommission of what is held is sent, until it is released; alerts are. The answer 200 means that it is durable.',
  },
  {
    kind: 'release',
    operationId: 'releaseEnforcement',
    summary: 'Releases the enforcement of an account, or of all and the brake',
    description:
      'What was held is due anew, and checked again. Releasing all releases the brake, too, but no account that is held by itself. The answer 200 means that it is durable.',
  },
] as const;

/** N11: `GET /v1/enforcement`, `POST /v1/enforcement/hold` and `/release`: for operators. */
export function enforcementRoutes(door: Door, context: DoorContext): void {
  const { enforcement } = context.deps;

  door.get(
    '/v1/enforcement',
    {
      schema: {
        operationId: 'getEnforcement',
        tags: ['enforcement'],
        summary: 'Who holds enforcement, why and since when; the brake; stale input',
        querystring: query,
        response: {
          200: { description: 'As it stands', content: { 'application/json': { schema: enforcementAnswer } } },
          ...problemResponses(...GUARDED, 'forbidden'),
        },
      },
    },
    async (request) => {
      const { accounts } = operatorOf(request);
      const { limit = 1000, after } = request.query;
      const page = await enforcement.heldAccounts({ among: accounts, limit, after });
      return {
        partitions: (await enforcement.partitions()).map(partitionJson),
        accounts: page.items.map(({ accountId, by, why, at }) => ({
          account_id: accountId,
          ...{ by, reason: why, since: formatInstant(at) },
        })),
        next: page.next ?? null,
      };
    },
  );

  void door.register(async (scope: Door) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, readJson);
    for (const { kind, ...described } of ACTS) {
      scope.post(
        `/v1/enforcement/${kind}`,
        {
          schema: {
            ...described,
            tags: ['enforcement'],
            body: actBody,
            response: {
              200: { description: 'It is done', content: { 'application/json': { schema: actAnswer } } },
              202: {
                description: 'It is recorded, and is carried out as soon as an enforcer runs that has not yet',
                content: { 'application/json': { schema: actAnswer } },
              },
              ...problemResponses(...GUARDED, ...ACT_PROBLEMS),
            },
          },
          bodyLimit: BODY_BYTES_MAX,
        },
        async (request, reply) => act(kind, operatorOf(request), request.body, reply),
      );
    }
  });

  async function act(
    kind: 'hold' | 'release',
    sender: Sender,
    body: Static<typeof actBody>,
    reply: Pick<FastifyReply, 'code'>,
  ) {
    const { account_id: accountId, reason } = body;
    if (accountId !== undefined) requireSight(sender, accountId);
    else if (sender.accounts !== 'all')
      throw new Problem('forbidden', 'account_id: this key must name one of its accounts');
    const by = sender.keyId;
    const target = accountId === undefined ? 'all' : { accountId };
    const outcome = await enforcement.act({ kind, target, by, why: reason });
    if (outcome.kind === 'busy') {
      throw new Problem('door_busy', 'too many acts of operators are under way', outcome.retryAfterMs);
    }
    if (outcome.kind === 'unknown_account')
      throw new Problem('not_found', `the enforcer knows no account ${accountId}`);
    reply.code(outcome.kind === 'done' ? 200 : 202);
    return {
      account_id: accountId ?? null,
      ...{ by, reason, at: formatInstant(outcome.at) },
      partitions: (await enforcement.partitions()).map(partitionJson),
    };
  }
}

function operatorOf(request: Pick<FastifyRequest, 'sender'>): Sender {
  const sender = senderOf(request);
  if (sender.role !== 'operator')
    throw new Problem('forbidden', `a key of role ${sender.role} may not look at or hold enforcement`);
  return sender;
}

/** The events' parsers give bytes; here a body is one small value. @throws Problem `bad_request`, `unsupported_media_type` */
async function readJson(request: FastifyRequest, body: Buffer): Promise<unknown> {
  const bytes = await unpack(request.headers, body, BODY_BYTES_MAX);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new Problem('bad_request', 'body: no JSON in UTF-8', undefined, { cause });
  }
}

function partitionJson({ partition, asOf, hold, brake, suspended, lastRelease }: PartitionEnforcement) {
  return {
    partition,
    as_of: formatInstant(asOf),
    hold: hold === undefined ? null : { by: hold.by, reason: hold.why, since: formatInstant(hold.at) },
    brake: brake === undefined ? null : { reason: brake.why, since: formatInstant(brake.at) },
    suspended,
    last_release:
      lastRelease === undefined
        ? null
        : { by: lastRelease.by, reason: lastRelease.why, at: formatInstant(lastRelease.at) },
  };
}
