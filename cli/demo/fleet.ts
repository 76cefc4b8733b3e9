import type { Logger } from 'pino';
import { z } from 'zod';
import type { EventLog } from '../../platform/log/port.ts';
import { COMMAND_NAMES } from '../../services/shared/contracts/command.ts';
import type { Instant } from '../../services/shared/time.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import type { InstancePaths } from '../embedded/instance.ts';
import { cloudEvent } from './core/events.ts';
import { type Order, orderOf } from './core/orders.ts';
import { PERSONAS } from './core/personas.ts';
import { step } from './core/step.ts';
import type { AccountGlance } from './core/turn.ts';
import { type World, worldOf } from './core/world.ts';
import { type DemoFile, readDemoFile, writeDemoFile } from './demo-file.ts';
import { DoorClient, DoorUnavailable } from './door-client.ts';

export interface FleetOptions {
  readonly paths: InstancePaths;
  /** Of the door, and a key of an operator: the fleet's agents, control plane and customers in one. */
  readonly url: string;
  readonly key: string;
  /** For the control topics, which the fleet obeys. */
  readonly log: Pick<EventLog, 'read'>;
  readonly now: () => Instant;
  /** Calls `run` after `delayMs`; what it returns calls that off. */
  readonly after: (delayMs: number, run: () => void) => () => void;
  readonly logger: Logger;
}

export interface Fleet {
  /** Ends it; resolves once what was under way is finished. */
  stop(): Promise<void>;
}

const STEP_MS = 5000;
const PARTITION = 0;
const READ_LIMITS = { recordsMax: 1000, bytesMax: 4 << 20 } as const;

/**
 * Goes on with a demo where its history, or its last run, ended: every few seconds it reads the control topics, looks at
 * the balances, takes a step and sends what follows by the door. What is to be sent is written down first, so that a
 * crash sends it again with the same ids.
 * @throws Error if history was not imported
 */
export function startFleet(options: FleetOptions): Fleet {
  const { paths, after, logger } = options;
  const file = readDemoFile(paths);
  if (file === undefined || file.fleet === null) throw new Error(`${paths.root} has no demo: import its history first`);
  const stopping = new AbortController();
  const runner = new FleetRunner(options, file, stopping.signal);
  let underWay = Promise.resolve();
  let cancel = after(0, run);

  function run(): void {
    underWay = runner
      .step()
      .catch((fault: unknown) => {
        if (stopping.signal.aborted) return;
        if (fault instanceof DoorUnavailable) {
          logger.warn({ err: fault }, 'the demo fleet could not reach the door, and tries again');
          return;
        }
        // A demo that is broken must not take a pipeline down with it.
        logger.error({ err: fault }, 'the demo fleet has stopped');
        stopping.abort();
      })
      .then(() => {
        if (!stopping.signal.aborted) cancel = after(STEP_MS, run);
      });
  }

  return {
    stop: async () => {
      stopping.abort();
      cancel();
      await underWay;
    },
  };
}

class FleetRunner {
  readonly #options: FleetOptions;
  readonly #door: DoorClient;
  readonly #world: World;
  #file: DemoFile;

  constructor(options: FleetOptions, file: DemoFile, signal: AbortSignal) {
    this.#options = options;
    this.#door = new DoorClient({ url: options.url, key: options.key, signal });
    this.#world = worldOf(file.seed, file.began_at, file.epoch_at);
    this.#file = file;
  }

  /** @throws DoorUnavailable: nothing is decided before what was decided is sent */
  async step(): Promise<void> {
    await this.#flush();
    const { fleet, offsets } = this.#file;
    if (fleet === null) return;
    const compute = await this.#read(TOPICS.compute, offsets.compute);
    const storage = await this.#read(TOPICS.storage, offsets.storage);
    const glances = await this.#glances();
    const at = Math.max(this.#options.now(), fleet.at);
    const next = step(this.#world, PERSONAS, fleet, { at, orders: [...compute.orders, ...storage.orders], glances });
    this.#file = {
      ...this.#file,
      fleet: next.state,
      outbox: next.events.map((event) => ({ ...cloudEvent(event, at) })),
      offsets: { compute: compute.nextOffset, storage: storage.nextOffset },
    };
    writeDemoFile(this.#options.paths, this.#file);
    await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#file.outbox.length === 0) return;
    for (const refusal of await this.#door.send(this.#file.outbox)) {
      this.#options.logger.warn(refusal, 'an event of the demo fleet was not applied');
    }
    this.#file = { ...this.#file, outbox: [] };
  }

  async #read(topic: string, fromOffset: number): Promise<{ orders: readonly Order[]; nextOffset: number }> {
    const records = await this.#options.log.read(topic, PARTITION, fromOffset, READ_LIMITS);
    const orders = records.flatMap(({ value }) => readOrder(value.toString('utf8')) ?? []);
    return { orders, nextOffset: fromOffset + records.length };
  }

  async #glances(): Promise<ReadonlyMap<string, AccountGlance>> {
    const glances = new Map<string, AccountGlance>();
    for (const { accountId } of PERSONAS) {
      const glance = await this.#door.glance(accountId);
      if (glance !== undefined) glances.set(accountId, glance);
    }
    return glances;
  }
}

const controlRecord = z.object({
  command: z.enum(COMMAND_NAMES),
  account_id: z.string(),
  resource: z.object({
    kind: z.enum(['account', 'cluster', 'volume', 'reservation', 'grant', 'pipeline']),
    id: z.string(),
  }),
  scope: z.enum(['cluster', 'burst', 'volume']).optional(),
  sequence: z.number(),
});

function readOrder(line: string): Order | undefined {
  const { command, account_id: accountId, resource, scope, sequence } = controlRecord.parse(JSON.parse(line));
  return orderOf({ command, accountId, resource, scope, sequence });
}
