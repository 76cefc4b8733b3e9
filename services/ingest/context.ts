import type { Static, TSchema } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Registry } from 'prom-client';
import type { Tracer } from '../shared/runtime/tracing.ts';
import type { Trail } from '../shared/runtime/trail.ts';
import type { Instant } from '../shared/time.ts';
import type { DoorConfig } from './config.ts';
import type { Sender } from './core/permissions.ts';
import type { InFlight } from './in-flight.ts';
import type { KeyRing } from './keys.ts';
import type { DoorMetrics } from './metrics.ts';
import type { EnforcementControl, EventSink, Queries, Readiness, Verdicts } from './ports.ts';
import { Problem } from './problems.ts';

/** All that the door needs from outside. */
export interface DoorDeps {
  readonly sink: EventSink;
  readonly verdicts: Verdicts;
  readonly queries: Queries;
  readonly enforcement: EnforcementControl;
  readonly keys: KeyRing;
  /** The wall clock in ms: when something was received, whether a key has expired. No rule of money looks at it. */
  readonly clock: () => Instant;
  readonly logger: FastifyBaseLogger;
  /** Told of single events, where it is listened to. */
  readonly trail?: Trail;
  /** Undefined where tracing is off. */
  readonly tracer?: Tracer | undefined;
  readonly metrics: Registry;
  readonly readiness: () => Readiness;
}

/** What the routes share. */
export interface DoorContext {
  readonly deps: DoorDeps;
  readonly config: DoorConfig;
  readonly metrics: DoorMetrics;
  readonly inFlight: InFlight;
  /** Aborted when the door begins to stop: who waits, stops waiting. */
  readonly stopping: AbortSignal;
}

/** What a request holds has the type of its schema. Answers are checked against theirs by the tests. */
export interface DoorTypes extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  serializer: unknown;
}

export type Door = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  DoorTypes
>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who shows the key; null on routes that need none. */
    sender: Sender | null;
    /** What it holds of the bytes in flight. */
    heldBytes: number;
    /** Its connection is closed, and what it held was given back. */
    gone: boolean;
  }
}

/** Who sent a request that came past the guard. */
export function senderOf(request: Pick<FastifyRequest, 'sender'>): Sender {
  if (request.sender === null) throw new Error('a route behind the guard was reached without a key');
  return request.sender;
}

/**
 * Takes room for so many more bytes on behalf of a request, until it is answered.
 * @throws Problem `door_busy`; `bad_request` if the client went away meanwhile, for nothing would ever give the room back
 */
export function hold(context: DoorContext, request: Pick<FastifyRequest, 'heldBytes' | 'gone'>, bytes: number): void {
  if (request.gone) throw new Problem('bad_request', 'the client went away before it was answered');
  if (!context.inFlight.take(bytes)) {
    throw new Problem(
      'door_busy',
      `more than ${context.config.inFlightBytesMax} bytes are being worked on (in_flight_bytes_max)`,
      1000,
    );
  }
  request.heldBytes += bytes;
}
