import { Type, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { assertNever } from '../../shared/assert-never.ts';
import { inSpan } from '../../shared/runtime/tracing.ts';
import { type Door, type DoorContext, hold, senderOf } from '../context.ts';
import { refuseUnread } from '../core/accept.ts';
import { maySee } from '../core/permissions.ts';
import type { BodyForm } from '../core/read-body.ts';
import { type BodyRead, readDelivery } from '../delivery.ts';
import { countByOutcome } from '../metrics.ts';
import type { EventVerdict, Position } from '../ports.ts';
import { Problem } from '../problems.ts';
import { FORMS, formOf, unpack } from '../request-body.ts';
import { fateAnswer, submittedAnswer } from '../schemas/answers.ts';
import { GUARDED, id, problemResponses } from '../schemas/common.ts';
import { EVENT_REF } from '../schemas/event.ts';
import { countOutcomes, keep, type Submitted, submit, toKeep } from '../submit.ts';
import { tellSubmitted } from '../submitted-trail.ts';
import { fateJson, submittedText } from '../wire.ts';

const postQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.Literal('applied', { description: 'answer only once it is known what became of the events' }),
    ),
    timeout_ms: Type.Optional(Type.Integer({ minimum: 1, description: 'the longest to wait; 10 s without it' })),
  },
  { additionalProperties: false },
);

const requestBody = {
  content: Object.fromEntries([...FORMS].map(([media, form]) => [media, { schema: bodySchema(form) }])),
};

function bodySchema(form: BodyForm): object {
  switch (form) {
    case 'single':
      return EVENT_REF;
    case 'batch':
      return { type: 'array', items: EVENT_REF };
    case 'lines':
      return { type: 'string', description: 'one event a line; blank lines are skipped' };
    default:
      return assertNever(form);
  }
}

/** E: `POST /v1/events`, and `GET /v1/events/{source}/{id}`: what became of one. */
export function eventRoutes(door: Door, context: DoorContext): void {
  const { deps, config, metrics } = context;
  let waiters = 0;

  door.post(
    '/v1/events',
    {
      schema: {
        operationId: 'sendEvents',
        tags: ['events'],
        summary: 'Sends one event, or many',
        description:
          'The answer 202 means that the log has durably what was accepted; what the rater makes of it is told by `wait=applied` and by `GET /v1/events/{source}/{id}`. Each event of a batch is judged on its own: look at `rejected`. Sending the same again does no harm.',
        querystring: postQuery,
        body: requestBody,
        response: {
          202: {
            description: 'The log has what was accepted',
            content: { 'application/json': { schema: submittedAnswer } },
          },
          ...problemResponses(
            ...GUARDED,
            'malformed',
            'unknown_type',
            'invalid_field',
            'forbidden',
            'body_too_large',
            'unsupported_media_type',
            'log_busy',
            'door_busy',
            'log_failed',
            'not_ready',
          ),
        },
      },
      // The body is read by hand: each event of it is judged on its own, and its bytes are kept if it is refused.
      validatorCompiler: (route) =>
        route.httpPart === 'body' ? () => true : TypeBoxValidatorCompiler({ ...route, schema: postQuery }),
      bodyLimit: config.bodyBytesMax,
      onRequest: async (request) => {
        const { ready, reasons } = deps.readiness();
        if (!ready) throw new Problem('not_ready', reasons.join('; '), 1000);
        hold(context, request, announcedBytes(request, config.bodyBytesMax));
      },
    },
    async (request, reply) => {
      const receivedAt = deps.clock();
      const sender = senderOf(request);
      const form = formOf(request.headers);
      const read = await readRequest(request, form);
      if (read.kind === 'fault') return await refuseBody(request, read);
      const attributes = {
        'http.request.method': 'POST',
        'http.route': '/v1/events',
        'tollgate.events': read.delivery.events.length,
      };
      const append = () => submit(deps.sink, sender, read.delivery, config, receivedAt);
      const submitted = await inSpan(deps.tracer, 'POST /v1/events', attributes, append, request.headers);
      count(submitted);
      tellSubmitted(deps.trail, submitted);
      const only = form === 'single' ? submitted[0] : undefined;
      if (only?.kind === 'refused') {
        throw new Problem(only.reason, only.detail);
      }
      const verdicts =
        request.query.wait === undefined
          ? new Map<number, EventVerdict>()
          : await waitFor(request.query.timeout_ms, submitted);
      const onlyRejected = /(^|[,\s])return=minimal($|[,;\s])/.test(String(request.headers.prefer ?? ''));
      return await reply
        .code(202)
        .type('application/json')
        .send(submittedText(submitted, verdicts, onlyRejected));
    },
  );

  door.get(
    '/v1/events/:source/:id',
    {
      schema: {
        operationId: 'getEvent',
        tags: ['events'],
        summary: 'Tells what became of an event',
        params: Type.Object({ source: Type.String({ description: 'percent-encoded' }), id: id('of the event') }),
        response: {
          200: { description: 'It is in the log', content: { 'application/json': { schema: fateAnswer } } },
          ...problemResponses(...GUARDED, 'not_found'),
        },
      },
    },
    async (request) => {
      const { source, id } = request.params;
      const sender = senderOf(request);
      const fates = (await deps.verdicts.of(source, id)).filter((fate) =>
        fate.account === undefined ? sender.accounts === 'all' : maySee(sender, fate.account),
      );
      const last = fates.at(-1);
      if (last === undefined)
        throw new Problem('not_found', 'no event of this source and id is in the log, or none that this key may see');
      return { source, id, status: last.verdict.status, events: fates.map(fateJson) };
    },
  );

  async function readRequest(request: FastifyRequest, form: ReturnType<typeof formOf>): Promise<BodyRead> {
    if (!Buffer.isBuffer(request.body)) throw new Problem('malformed', 'body: missing');
    const bytes = await unpack(request.headers, request.body, config.inflatedBytesMax);
    if (bytes !== request.body) hold(context, request, bytes.length);
    return readDelivery(form, bytes, {
      eventsMax: config.batchEventsMax,
      depthMax: config.jsonDepthMax,
      valuesMax: config.jsonValuesMax,
    });
  }

  /** A body that cannot be read is kept as what it is; one that is past a limit is not, and nothing of it was let in. */
  async function refuseBody(request: FastifyRequest, read: BodyRead & { kind: 'fault' }): Promise<never> {
    const { kind, detail } = read.fault;
    if (kind !== 'not_json') throw new Problem('body_too_large', detail);
    const sender = senderOf(request);
    await keep(deps.sink, [toKeep(refuseUnread(detail), read.sent, sender, config, deps.clock())]);
    metrics.events.inc({ outcome: 'rejected', reason: 'malformed' });
    throw new Problem('malformed', detail);
  }

  function count(submitted: readonly Submitted[]): void {
    metrics.batchEvents.observe(submitted.length);
    countByOutcome(metrics.events, countOutcomes(submitted));
  }

  /** The verdicts on what was let in, by its index. What is not known in time is `pending`. */
  async function waitFor(
    timeoutMs: number | undefined,
    submitted: readonly Submitted[],
  ): Promise<Map<number, EventVerdict>> {
    const positions: Position[] = [];
    const indexes: number[] = [];
    for (const [index, event] of submitted.entries()) {
      if (event.kind === 'refused') continue;
      positions.push(event.position);
      indexes.push(index);
    }
    const waitMs = Math.min(timeoutMs ?? config.waitMs, config.waitMsMax);
    const verdicts = new Map<number, EventVerdict>();
    if (positions.length === 0) return verdicts;
    const mayWait = waiters < config.waitersMax;
    waiters += 1;
    try {
      const known = mayWait ? await deps.verdicts.wait(positions, waitMs, context.stopping) : [];
      for (const [at, index] of indexes.entries()) verdicts.set(index, known[at] ?? { status: 'pending' });
    } finally {
      waiters -= 1;
    }
    return verdicts;
  }
}

function announcedBytes(request: FastifyRequest, bytesMax: number): number {
  const announced = Number(request.headers['content-length'] ?? bytesMax);
  return Number.isSafeInteger(announced) && announced >= 0 ? Math.min(announced, bytesMax) : bytesMax;
}
