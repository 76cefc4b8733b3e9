import { MemoryLogDisk } from '../../platform/log/memory-log.ts';
import type { EventLog } from '../../platform/log/port.ts';
import type { Fault, FaultPlan, Operation } from '../../platform/memory/simulation.ts';
import { SimulatedProcess } from '../../platform/memory/simulation.ts';
import { MemoryStateDisk, openMemoryState } from '../../platform/state/memory-state.ts';
import { PARTITION_OF_PRICES, partitionOf } from '../../services/shared/partition.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { type Random, randomFrom } from '../histories/random.ts';
import { type Connections, Host, isExpected, type Process, type Service } from './host.ts';
import { SimulatedWarehouse, WarehouseDisk } from './memory-warehouse.ts';
import type { Settings } from './settings.ts';
import { connectLog, endOffset, type LogServer } from './shared-log.ts';
import { VirtualTime } from './virtual-time.ts';

/** One line that ingest has let in. */
export interface Incoming {
  readonly type: string;
  readonly account: string | undefined;
  readonly at: number | undefined;
  readonly text: string;
}

/** Puts a planted fault between a service and what it is connected to. */
export type Tamper = (
  connections: Connections,
  service: { readonly process: SimulatedProcess; readonly world: World },
) => Connections;

interface Role {
  readonly partition: number;
  readonly services: readonly Service[];
  current: Host;
}

const WRITES: ReadonlySet<Operation['name']> = new Set(['append', 'claim', 'commit', 'trim']);
const RETRY_MS = 50;
/** A call in so many finds its process hanging, and how long at most. */
const FREEZES = 0.003;
const FROZEN_MAX_MS = 10_000;

/** All processes of one simulation, the disks that outlive them, and the chaos around them; all of it made of one seed. */
export class World {
  readonly settings: Settings;
  readonly time: VirtualTime;
  readonly log: LogServer;
  readonly stateDisk = new MemoryStateDisk();
  readonly warehouse = new WarehouseDisk();
  /** What was acknowledged to senders, by partition and offset. */
  readonly acknowledged: { readonly partition: number; readonly offset: number; readonly text: string }[] = [];
  /** How often what happened. */
  readonly counts = { crashes: 0, failures: 0, restarts: 0, zombies: 0, stops: 0 };
  /** What no fault of the plan explains. */
  readonly unexpected: unknown[] = [];
  readonly #random: Random;
  readonly #tamper: Tamper;
  readonly #roles: Role[] = [];
  readonly #hosts = new Set<Host>();
  /** Nothing goes wrong any more: what is under way is to come to its end. */
  #calm = false;
  /** What ends now is not started again. */
  #over = false;

  constructor(seed: number, settings: Settings, tamper: Tamper = (connections) => connections) {
    this.settings = settings;
    this.#random = randomFrom(seed);
    this.#tamper = tamper;
    this.time = new VirtualTime(settings.startAt);
    this.log = {
      disk: new MemoryLogDisk(),
      waiters: new Map(),
      partitions: settings.partitions,
      time: settings.live ? 'append' : 'event',
      now: this.time.now,
    };
    connectLog(this.log, new SimulatedProcess(), () => undefined);
    const layouts: readonly (readonly Service[])[] =
      settings.layout === 'together' ? [['rater', 'enforcer']] : [['rater'], ['enforcer']];
    for (let partition = 0; partition < settings.partitions; partition += 1) {
      for (const services of layouts)
        this.#roles.push({ partition, services, current: this.#host(partition, services) });
    }
  }

  /** The host that now owns a partition's rater or enforcer. */
  owner(partition: number, service: Service): Host {
    const found = this.#roles.find((role) => role.partition === partition && role.services.includes(service));
    if (found === undefined) throw new Error(`nobody is the ${service} of ${partition}`);
    return found.current;
  }

  begin(): void {
    for (const role of this.#roles) this.#launch(role);
    if (this.settings.disturbedEveryMs > 0) void this.#disturb();
  }

  /** From now on no call fails and nobody is disturbed. */
  calm(): void {
    this.#calm = true;
  }

  /** Whether all of the log was rated, enforced, published and checkpointed. */
  isDrained(): boolean {
    if (this.unexpected.length > 0) return true;
    for (let partition = 0; partition < this.settings.partitions; partition += 1) {
      const end = endOffset(this.log.disk, TOPICS.events, partition);
      const { rater } = this.owner(partition, 'rater');
      const { enforcer } = this.owner(partition, 'enforcer');
      if ((rater?.progress.committed ?? 0) < end || (enforcer?.progress.events ?? 0) < end) return false;
      if ((this.stateDisk.scopes.get(`enforcer/${partition}`)?.hashes.get('outbox')?.size ?? 0) > 0) return false;
    }
    return true;
  }

  /** Ends who was replaced long ago and still hangs: nothing of it comes after this. */
  endZombies(): void {
    for (const host of this.#hosts) if (!this.#roles.some(({ current }) => current === host)) host.process.crash();
  }

  /** Ends every process, as at a shutdown, and waits for it. */
  async shutDown(deadline: number): Promise<void> {
    this.#over = true;
    for (const host of this.#hosts) host.stop();
    await this.time.runUntil(() => this.unexpected.length > 0 || this.#hosts.size === 0, deadline);
  }

  /** Sends events as an honest client does: what was not acknowledged is sent again. */
  async send(events: readonly Incoming[]): Promise<void> {
    const log = connectLog(this.log, new SimulatedProcess(), this.#plan(false));
    const { partitions } = this.settings;
    await Promise.all(
      Array.from({ length: partitions }, async (_, partition) => {
        const own = events.filter((event) => isFor(event, partition, partitions));
        if (own.length > 0) await this.#append(log, partition, own);
      }),
    );
  }

  async #append(log: EventLog, partition: number, events: readonly Incoming[]): Promise<void> {
    const records = events.map(({ account, at, text }) => ({
      key: account ?? '',
      value: text,
      ...(at === undefined ? {} : { time: at }),
    }));
    for (;;) {
      try {
        const { firstOffset } = await log.append(TOPICS.events, partition, records);
        for (const [index, { text }] of events.entries()) {
          this.acknowledged.push({ partition, offset: firstOffset + index, text });
        }
        return;
      } catch (fault) {
        if (!isExpected(fault)) throw fault;
        await this.time.sleep(RETRY_MS);
      }
    }
  }

  /** Some time in which others are at work. */
  pause(mostMs: number): Promise<void> {
    return this.time.sleep(this.#random.int(0, mostMs));
  }

  #launch(role: Role): void {
    const host = role.current;
    this.#hosts.add(host);
    this.counts.restarts += 1;
    const end = (fault?: unknown): void => {
      this.#hosts.delete(host);
      if (fault !== undefined && !isExpected(fault)) this.unexpected.push(fault);
      else if (role.current === host && !this.#over) void this.#relaunch(role, host);
    };
    host.run().then(
      () => end(),
      (fault: unknown) => end(fault),
    );
  }

  async #relaunch(role: Role, gone: Host): Promise<void> {
    await this.time.sleep(this.#random.pick([0, 10, 1000]));
    if (role.current !== gone || this.#over) return;
    role.current = this.#host(role.partition, role.services);
    this.#launch(role);
  }

  #host(partition: number, services: readonly Service[]): Host {
    return new Host(services, partition, this.settings, this.time, (process) => {
      const plan = this.#plan(true, process);
      const connections = {
        log: connectLog(this.log, process, plan),
        state: openMemoryState({ disk: this.stateDisk, process, faults: plan }),
        rows: new SimulatedWarehouse(this.warehouse, process, plan, (rows) =>
          this.#random.chance(0.2) ? this.#random.int(0, rows) : rows,
        ),
      };
      return this.#tamper(connections, { process, world: this });
    });
  }

  /** Now and then an operator, or a rebalance, does something to a process that is well. */
  async #disturb(): Promise<void> {
    const { disturbedEveryMs } = this.settings;
    for (;;) {
      await this.time.sleep(this.#random.int(0, 2 * disturbedEveryMs));
      if (this.#calm) return;
      const role = this.#random.any(this.#roles);
      if (role === undefined) return;
      this.#disturbOne(role);
    }
  }

  #disturbOne(role: Role): void {
    const what = this.#random.pick(['kill', 'stop', 'replace', 'replace']);
    if (what === 'stop') {
      this.counts.stops += 1;
      role.current.stop();
      return;
    }
    const old = role.current;
    if (what === 'kill') {
      old.process.crash();
      this.#hosts.delete(old);
      this.counts.crashes += 1;
    } else {
      // The old one does not know, and goes on: a zombie.
      this.counts.zombies += 1;
      if (this.#random.chance(0.8)) old.process.frozenUntil = this.time.now() + this.#random.int(0, 3000);
    }
    role.current = this.#host(role.partition, role.services);
    this.#launch(role);
  }

  #plan(mayCrash: boolean, process?: Process): FaultPlan {
    const { crashes, failures, delays, delayMaxMs } = this.settings;
    return (operation) => {
      const random = this.#random;
      const delay = random.chance(delays) ? random.int(0, delayMaxMs) : 0;
      const fault = this.#calm ? undefined : this.#draw(operation, mayCrash ? crashes : 0, failures);
      if (!this.#calm && process !== undefined && random.chance(FREEZES)) {
        process.frozenUntil = this.time.now() + random.int(0, FROZEN_MAX_MS);
      }
      const waitMs = Math.max(delay, (process?.frozenUntil ?? 0) - this.time.now());
      return waitMs <= 0 ? fault : this.time.sleep(waitMs).then(() => fault);
    };
  }

  #draw(operation: Operation, crashes: number, failures: number): Fault | undefined {
    const random = this.#random;
    const crash = random.chance(WRITES.has(operation.name) ? crashes : crashes / 10);
    const fail = random.chance(failures);
    const when = random.pick(['before', 'after'] as const);
    if (!crash && !fail) return undefined;
    this.counts[crash ? 'crashes' : 'failures'] += 1;
    return { kind: crash ? 'crash' : 'fail', when };
  }
}

/** E1: an account has one partition, prices are judged in one, a tick goes to every one. */
function isFor(event: Incoming, partition: number, partitions: number): boolean {
  if (event.type === 'clock.tick') return true;
  if (event.account === undefined) return partition === PARTITION_OF_PRICES;
  return partitionOf(event.account, partitions) === partition;
}
