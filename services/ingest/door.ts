import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import underPressure from '@fastify/under-pressure';
import fastify, { type FastifyError, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { DoorConfig } from './config.ts';
import type { Door, DoorContext, DoorDeps, DoorTypes } from './context.ts';
import { answerProblem, toProblem } from './fault-answer.ts';
import { InFlight } from './in-flight.ts';
import { doorMetrics } from './metrics.ts';
import { OPENAPI } from './openapi.ts';
import { Problem } from './problems.ts';
import { FORMS } from './request-body.ts';
import { accountRoutes } from './routes/accounts.ts';
import { enforcementRoutes } from './routes/enforcement.ts';
import { eventRoutes } from './routes/events.ts';
import { operationRoutes } from './routes/operations.ts';
import { orderRoutes } from './routes/orders.ts';
import { eventSchema } from './schemas/event.ts';

/** Longer than a source of 256 characters once percent-encoded. */
const PARAM_CHARS_MAX = 4096;
/** How often Node looks for requests that take too long. */
const TIMEOUT_CHECK_MS = 1000;

/**
 * The HTTP door, not yet listening: `listen` starts it. `close` stops it: new requests are told 503, whoever waits for a
 * verdict is told `pending`, what is being appended is finished and answered.
 */
export function createDoor(deps: DoorDeps, config: DoorConfig): Door {
  const door = fastify({
    loggerInstance: deps.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.bodyBytesMax,
    connectionTimeout: config.connectionTimeoutMs,
    requestTimeout: config.requestTimeoutMs,
    keepAliveTimeout: config.keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    // A request that comes while stopping is answered by the hook below, in the form of all other problems.
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAM_CHARS_MAX },
    http: {
      headersTimeout: Math.min(config.headersTimeoutMs, config.requestTimeoutMs),
      connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, config.headersTimeoutMs),
    },
    frameworkErrors: (fault, request, reply) => {
      answerProblem(request, reply, toProblem(fault));
    },
  }).withTypeProvider<DoorTypes>();
  door.server.maxConnections = config.connectionsMax;

  const inFlight = new InFlight(config.inFlightBytesMax);
  const stopping = new AbortController();
  const metrics = doorMetrics(deps.metrics, () => inFlight.bytes);
  const context: DoorContext = { deps, config, metrics, inFlight, stopping: stopping.signal };

  const fail = (fault: FastifyError | Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = toProblem(fault);
    metrics.problems.inc({ code: problem.code });
    return answerProblem(request, reply, problem);
  };
  door.setErrorHandler<FastifyError | Problem>(fail);
  door.setNotFoundHandler((request, reply) =>
    fail(new Problem('not_found', `no route ${request.method} ${request.url.slice(0, 200)}`), request, reply),
  );
  door.setValidatorCompiler(TypeBoxValidatorCompiler);
  // Answers go out as their handlers made them; the tests hold them against the schemas.
  door.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  door.removeAllContentTypeParsers();
  for (const media of FORMS.keys()) {
    door.addContentTypeParser(media, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  }

  door.addSchema(eventSchema);
  door.decorateRequest('sender', null);
  door.decorateRequest('heldBytes', 0);
  door.decorateRequest('gone', false);
  door.addHook('preClose', async () => stopping.abort());
  door.addHook('onRequest', async (request, reply) => {
    // 'close' comes in every case, also when the client went away in the middle of its body.
    reply.raw.once('close', () => {
      inFlight.give(request.heldBytes);
      request.gone = true;
    });
  });
  door.addHook('onSend', async (_request, reply) => {
    // Otherwise the connection of a request that was under way would stay open, and the stop would wait for it.
    if (stopping.signal.aborted) reply.header('connection', 'close');
  });
  door.addHook('onResponse', async (request, reply) => {
    const { method } = request;
    const route = request.routeOptions.url ?? 'none';
    const status = String(reply.statusCode);
    metrics.requestSeconds.observe({ method, route, status }, reply.elapsedTime / 1000);
    request.log.debug({ method, route, status, ms: reply.elapsedTime, key: request.sender?.keyId }, 'answered');
  });

  void door.register(underPressure, {
    maxEventLoopDelay: config.eventLoopDelayMsMax,
    // A trap: an interval without a measure counts as an endless delay. One stall as long as the interval leaves it
    // without, so the interval must not be shorter than the delay that is allowed.
    sampleInterval: Math.max(1000, config.eventLoopDelayMsMax),
    retryAfter: 1,
  });
  void door.register(swagger, OPENAPI);
  void door.register(async (open: Door) => operationRoutes(open, context));
  void door.register(async (guarded: Door) => {
    guard(guarded, context);
    await guarded.register(rateLimit, {
      max: config.requestsPerKeyMax,
      timeWindow: config.rateWindowMs,
      keyGenerator: (request) => request.sender?.keyId ?? '',
      errorResponseBuilder: (_request, { ttl }) =>
        new Problem(
          'rate_limited',
          `more than ${config.requestsPerKeyMax} requests in ${config.rateWindowMs} ms (requests_per_key_max)`,
          ttl,
        ),
    });
    eventRoutes(guarded, context);
    accountRoutes(guarded, context);
    orderRoutes(guarded, context);
    enforcementRoutes(guarded, context);
  });
  return door;
}

/** No request passes without a key that is in force, and none once the door is stopping. */
function guard(door: Door, context: DoorContext): void {
  const { keys, clock } = context.deps;
  door.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (context.stopping.aborted) throw new Problem('stopping', 'this server is stopping', 1000);
    const sender = keys.find(request.headers.authorization, clock());
    if (sender === undefined) throw new Problem('unauthenticated', 'Authorization: no key, or none that is in force');
    request.sender = sender;
  });
}
