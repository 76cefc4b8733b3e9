import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import pino from 'pino';
import { Registry } from 'prom-client';
import type { z } from 'zod';
import { doorConfig } from '../../services/ingest/config.ts';
import type { Door, DoorDeps } from '../../services/ingest/context.ts';
import type { Role, Sender } from '../../services/ingest/core/permissions.ts';
import { createDoor } from '../../services/ingest/door.ts';
import { createKeyRing, makeKey } from '../../services/ingest/keys.ts';
import type {
  EnforcementControl,
  EventSink,
  Queries,
  RejectedRecord,
  SinkRecord,
  Verdicts,
} from '../../services/ingest/ports.ts';

/** 2026-05-04T10:00:00.000Z */
export const NOW = 1_777_888_800_000;

/** Keys made of a fixed byte instead of chance: the same in every run. */
export const KEYS = {
  operator: makeKey('op', 'operator', 'all', new Uint8Array(32).fill(1)),
  agent: makeKey('agent-1', 'agent', ['acme', '__proto__'], new Uint8Array(32).fill(2)),
  controlPlane: makeKey('cp', 'control-plane', 'all', new Uint8Array(32).fill(3)),
  agentOfAll: makeKey('fleet', 'agent', 'all', new Uint8Array(32).fill(4)),
};

export function bearer(name: keyof typeof KEYS): { authorization: string } {
  return { authorization: `Bearer ${KEYS[name].key}` };
}

export function sender(role: Role, accounts: readonly string[] | 'all' = 'all'): Sender {
  return { keyId: 'k', role, accounts: accounts === 'all' ? 'all' : new Set(accounts) };
}

/** A sink that keeps everything in memory. */
export class MemorySink implements EventSink {
  readonly partitions: number;
  readonly logs: SinkRecord[][];
  readonly rejected: RejectedRecord[] = [];
  appends = 0;

  constructor(partitions = 1) {
    this.partitions = partitions;
    this.logs = Array.from({ length: partitions }, () => []);
  }

  async append(partition: number, records: readonly SinkRecord[]): ReturnType<EventSink['append']> {
    const log = this.logs[partition];
    if (log === undefined) throw new Error(`no partition ${partition}`);
    const firstOffset = log.length;
    log.push(...records);
    this.appends += 1;
    return { kind: 'appended', firstOffset };
  }

  async reject(records: readonly RejectedRecord[]): ReturnType<EventSink['reject']> {
    this.rejected.push(...records);
    return { kind: 'kept' };
  }

  get texts(): readonly string[] {
    return this.logs.flat().map((record) => record.text);
  }
}

export const NO_VERDICTS: Verdicts = {
  of: async () => [],
  wait: async (positions) => positions.map(() => ({ status: 'pending' })),
};

export const NO_QUERIES: Queries = {
  account: async () => undefined,
  usage: async () => undefined,
  orders: async () => ({ items: [], next: undefined }),
};

export const NO_ENFORCEMENT: EnforcementControl = {
  act: async () => ({ kind: 'unknown_account' }),
  partitions: async () => [],
  heldAccounts: async () => ({ items: [], next: undefined }),
};

export type ConfigInput = z.input<typeof doorConfig>;

export interface Harness {
  readonly door: Door;
  readonly sink: MemorySink;
  readonly metrics: Registry;
  readonly deps: DoorDeps;
  readonly send: (body: unknown, options?: SendOptions) => Promise<LightMyRequestResponse>;
  readonly get: (url: string, key?: keyof typeof KEYS) => Promise<LightMyRequestResponse>;
}

export interface SendOptions {
  readonly type?: string;
  readonly key?: keyof typeof KEYS;
  readonly headers?: Record<string, string>;
  readonly query?: string;
}

export function depsWith(sink: EventSink, deps: Partial<DoorDeps> = {}): DoorDeps {
  return {
    sink,
    verdicts: NO_VERDICTS,
    queries: NO_QUERIES,
    enforcement: NO_ENFORCEMENT,
    keys: createKeyRing(Object.values(KEYS).map(({ entry }) => entry)),
    clock: () => NOW,
    logger: pino({ level: 'silent' }),
    metrics: new Registry(),
    readiness: () => ({ ready: true, reasons: [] }),
    ...deps,
  };
}

/** A door that is not listening, with a sink in memory. Bounds that would make a test depend on speed are far away. */
export function harness(config: ConfigInput = {}, given: Partial<DoorDeps> = {}, partitions = 1): Harness {
  const sink = new MemorySink(partitions);
  const deps = depsWith(sink, given);
  const door = createDoor(deps, configWith(config));
  return {
    door,
    sink,
    metrics: deps.metrics,
    deps,
    send: (body, { type = 'application/cloudevents+json', key = 'operator', headers = {}, query = '' } = {}) => {
      const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
      const request: InjectOptions = { method: 'POST', url: `/v1/events${query}`, payload };
      return door.inject({ ...request, headers: { ...bearer(key), 'content-type': type, ...headers } });
    },
    get: (url, key = 'operator') => door.inject({ method: 'GET', url, headers: bearer(key) }),
  };
}

export function configWith(config: ConfigInput = {}): z.output<typeof doorConfig> {
  return doorConfig.parse({ port: 0, requestsPerKeyMax: 1_000_000, eventLoopDelayMsMax: 600_000, ...config });
}

export type Json = Record<string, unknown>;

/** A sample that is in order. */
export function usage(id: string, more: Json = {}, data: Json = {}): Json {
  return {
    specversion: '1.0',
    id,
    source: 'agent/1',
    type: 'usage.gpu',
    subject: 'acme',
    time: '2026-05-04T10:01:00.000Z',
    ...more,
    data: {
      cluster_id: 'c1',
      node_id: 'n1',
      gpu_type: 'h100',
      gpus: 8,
      start: '2026-05-04T10:00:00.000Z',
      end: '2026-05-04T10:01:00.000Z',
      ...data,
    },
  };
}

const AT = '2026-05-04T10:00:00.000Z';
const LATER = '2026-06-04T10:00:00.000Z';

/** Data in order for each type of E. */
export const DATA: ReadonlyMap<string, Json> = new Map<string, Json>([
  [
    'usage.gpu',
    { cluster_id: 'c1', node_id: 'n1', gpu_type: 'h100', gpus: 8, start: AT, end: LATER, tags: { a: 'b' } },
  ],
  ['usage.storage', { volume_id: 'v1', size_gib: 100, start: 1_777_888_800_000, end: LATER }],
  ['account.opened', { name: 'Acme', policy: { pause_after: '2h', low_runway: ['72h', '4h'] } }],
  ['policy.set', { policy: { reservation_end_notices: ['1h'] } }],
  ['credits.granted', { grant_id: 'g1', amount: '12.5', kind: 'paid', expires_at: LATER }],
  [
    'reservation.purchased',
    {
      reservation_id: 'r1',
      cluster_id: 'c1',
      gpu_type: 'h100',
      gpus: 64,
      starts_at: AT,
      ends_at: LATER,
      price_per_gpu_hour: '1.99',
      payment: 'upfront',
      overdraft: true,
    },
  ],
  ['reservation.extended', { reservation_id: 'r1', ends_at: LATER, price_per_gpu_hour: '2' }],
  ['reservation.cancelled', { reservation_id: 'r1', ends_at: AT, refund: '0', decommission: true }],
  ['cluster.provisioned', { cluster_id: 'c1' }],
  ['cluster.decommissioned', { cluster_id: 'c1' }],
  ['volume.created', { volume_id: 'v1' }],
  ['volume.decommissioned', { volume_id: 'v1' }],
  ['prices.published', { effective_from: AT, gpu_hour: { h100: '3.49' }, gib_month: '0.1' }],
  ['contract.priced', { effective_from: AT, gpu_hour: { h100: '2.99' } }],
  ['clock.tick', {}],
]);

export function eventOf(type: string, id = 'e1', more: Json = {}): Json {
  const subject = type === 'prices.published' || type === 'clock.tick' ? {} : { subject: 'acme' };
  return { specversion: '1.0', id, source: 'test', type, ...subject, data: DATA.get(type) ?? {}, ...more };
}
