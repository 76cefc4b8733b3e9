import type { Door, DoorContext } from '../context.ts';
import { retryAfterSeconds } from '../problems.ts';
import { liveAnswer, readyAnswer } from '../schemas/answers.ts';

/** Who looks after a server must get an answer from one that is overloaded, too. */
const EXEMPT = { pressureHandler: () => undefined };

/** `/livez`, `/readyz`, `/metrics`, `/openapi.yaml`, `/openapi.json`: for who runs it; they need no key and hold no account. */
export function operationRoutes(door: Door, context: DoorContext): void {
  const { readiness, metrics } = context.deps;
  // Made anew for each route: what is shared would come out of the YAML writer as aliases.
  const open = () => ({ tags: ['operations'], security: [] });

  door.get(
    '/livez',
    {
      config: EXEMPT,
      schema: {
        ...open(),
        operationId: 'getLive',
        summary: 'The process answers',
        response: { 200: { description: 'It does', content: { 'application/json': { schema: liveAnswer } } } },
      },
    },
    async () => ({ status: 'live' as const }),
  );

  door.get(
    '/readyz',
    {
      config: EXEMPT,
      schema: {
        ...open(),
        operationId: 'getReady',
        summary: 'Events are taken',
        response: {
          200: { description: 'They are', content: { 'application/json': { schema: readyAnswer } } },
          503: { description: 'Not now, for these reasons', content: { 'application/json': { schema: readyAnswer } } },
        },
      },
    },
    async (_request, reply) => {
      const { ready, reasons } = readiness();
      if (context.stopping.aborted) return reply.code(503).send({ status: 'not_ready', reasons: ['stopping'] });
      if (ready) return { status: 'ready', reasons: [...reasons] };
      return reply
        .code(503)
        .header('retry-after', retryAfterSeconds(1000))
        .send({ status: 'not_ready', reasons: [...reasons] });
    },
  );

  door.get(
    '/metrics',
    {
      config: EXEMPT,
      schema: {
        ...open(),
        operationId: 'getMetrics',
        summary: 'Counters for Prometheus',
        response: {
          200: { description: 'Prometheus text', content: { 'text/plain': { schema: { type: 'string' } } } },
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  );

  door.get('/openapi.yaml', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/yaml').send(door.swagger({ yaml: true })),
  );
  door.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(door.swagger())),
  );
}
