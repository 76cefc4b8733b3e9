import type { AppendRecord, EventLog } from '../../platform/log/port.ts';
import type { SimulatedProcess } from '../../platform/memory/simulation.ts';
import type { Commit, Fence, StateStore } from '../../platform/state/port.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { firstRows } from '../support/binary-rows.ts';
import type { Connections } from './host.ts';
import type { Settings } from './settings.ts';
import type { Tamper, World } from './world.ts';

/** A fault of a store, or of the order in which a shell uses its stores, that the simulation has to find. */
export interface Planted {
  readonly name: string;
  readonly tamper: Tamper;
  /** Under which it shows sooner. */
  readonly settings?: Partial<Settings>;
}

type Where = { readonly process: SimulatedProcess; readonly world: World };

/** Every run loads its accounts, and who was replaced goes on later than its heir. */
const LAGGING_ZOMBIES: Partial<Settings> = {
  ...{ partitions: 1, accountsMax: 1, runRecordsMax: 3, groupRecordsMax: 2, crashes: 0, failures: 0 },
  ...{ disturbedEveryMs: 300, pieceMax: 3, pauseMaxMs: 200 },
};

export const PLANTED: readonly Planted[] = [
  { name: 'rows are acknowledged before they are written: a checkpoint before its rows', tamper: rowsLater },
  { name: 'rows are written in part, and the whole block acknowledged', tamper: rowsInPart },
  { name: 'the fence of commits is ignored', tamper: unfencedCommits },
  { name: 'the fence of loads is ignored', tamper: unfencedLoads, settings: LAGGING_ZOMBIES },
  { name: 'a commit keeps its checkpoint and loses the last of its fields', tamper: tornCommits },
  { name: 'timers are not kept', tamper: withoutTimers },
  { name: 'the outbox is empty before it was published', tamper: withoutOutbox },
  { name: 'a watermark is sent before the updates that it covers', tamper: watermarkFirst },
  { name: 'updates are acknowledged before they are in the log', tamper: updatesLater },
  { name: 'the records of one update are not appended at once', tamper: updatesOneByOne },
  { name: 'prices are forwarded after the checkpoint', tamper: forwardsLater },
  { name: 'rejected events are acknowledged before they are kept', tamper: rejectedLater },
  { name: 'who waits for a record is not woken by one that came meanwhile', tamper: lostWakeUp },
];

/** In so much time a write that was acknowledged too early reaches its disk, if its process lives on. */
const LATER_MS = 400;

/** Acknowledges at once, writes later: what a crash in between takes away was acknowledged. */
function later(write: () => Promise<unknown>, { world }: Where): void {
  void world.time
    .sleep(LATER_MS)
    .then(write)
    .catch(() => undefined);
}

type Insert = Connections['rows']['insertBlock'];

function withInsert(connections: Connections, change: (insert: Insert) => Insert): Connections {
  const { rows } = connections;
  const insertBlock = change((...call) => rows.insertBlock(...call));
  return { ...connections, rows: { insertBlock, countRows: (...call) => rows.countRows(...call) } };
}

function rowsLater(connections: Connections, where: Where): Connections {
  return withInsert(connections, (insert) => async (table, block) => later(() => insert(table, block), where));
}

function rowsInPart(connections: Connections): Connections {
  return withInsert(connections, (insert) => (table, block) => {
    const part = block.length > 3 ? block.length - 1 : block.length;
    return insert(table, 'chunks' in block ? firstRows(block, part) : block.slice(0, part));
  });
}

function withState(connections: Connections, change: (state: StateStore) => Partial<StateStore>): Connections {
  const { state } = connections;
  const same: StateStore = {
    claim: (...call) => state.claim(...call),
    load: (...call) => state.load(...call),
    due: (...call) => state.due(...call),
    commit: (...call) => state.commit(...call),
    peek: (...call) => state.peek(...call),
    scan: (...call) => state.scan(...call),
    close: () => state.close(),
  };
  return { ...connections, state: { ...same, ...change(state) } };
}

/** The fence that lets everything pass. */
function currentFence(world: World, scope: string): Fence {
  const stored = world.stateDisk.scopes.get(scope);
  return { epoch: stored?.epoch ?? 0, nextOffset: stored?.checkpoint?.nextOffset };
}

function unfencedCommits(connections: Connections, { world }: Where): Connections {
  return withState(connections, (state) => ({
    commit: (scope, _fence, step) => state.commit(scope, currentFence(world, scope), step),
  }));
}

function unfencedLoads(connections: Connections, { world }: Where): Connections {
  return withState(connections, (state) => ({
    load: (scope, _fence, keys) => state.load(scope, currentFence(world, scope), keys),
    due: (scope, _fence, upTo, limit) => state.due(scope, currentFence(world, scope), upTo, limit),
  }));
}

function withStep(connections: Connections, change: (step: Commit) => Commit): Connections {
  return withState(connections, (state) => ({
    commit: (scope, fence, step) => state.commit(scope, fence, change(step)),
  }));
}

function tornCommits(connections: Connections): Connections {
  return withStep(connections, (step) =>
    step.writes.length < 8 ? step : { ...step, writes: step.writes.slice(0, -1) },
  );
}

function withoutTimers(connections: Connections): Connections {
  return withStep(connections, (step) => ({ ...step, timers: [] }));
}

function withoutOutbox(connections: Connections): Connections {
  return withStep(connections, (step) => ({ ...step, writes: step.writes.filter(([key]) => key !== 'outbox') }));
}

type Append = EventLog['append'];

function withAppend(connections: Connections, change: (append: Append) => Append): Connections {
  const { log } = connections;
  const append = change((...call) => log.append(...call));
  const same: EventLog = {
    append,
    partitions: (topic) => log.partitions(topic),
    read: (...call) => log.read(...call),
    waitFor: (...call) => log.waitFor(...call),
    startOffset: (...call) => log.startOffset(...call),
    endOffset: (...call) => log.endOffset(...call),
    trimBefore: (...call) => log.trimBefore(...call),
    close: () => log.close(),
  };
  return { ...connections, log: same };
}

function watermarkFirst(connections: Connections): Connections {
  return withAppend(connections, (append) => async (topic, partition, records) => {
    const last = records[records.length - 1];
    if (topic !== TOPICS.updates || last === undefined || records.length === 1)
      return append(topic, partition, records);
    await append(topic, partition, [last]);
    return append(topic, partition, records.slice(0, -1));
  });
}

function updatesOneByOne(connections: Connections): Connections {
  return withAppend(connections, (append) => async (topic, partition, records) => {
    if (topic !== TOPICS.updates) return append(topic, partition, records);
    for (const record of records.slice(0, -1)) await append(topic, partition, [record]);
    return append(topic, partition, records.slice(-1));
  });
}

/** Acknowledges the appends to one topic before they are made. */
function ackEarly(connections: Connections, where: Where, early: string): Connections {
  return withAppend(connections, (append) => async (topic, partition, records: readonly AppendRecord[]) => {
    if (topic !== early) return append(topic, partition, records);
    later(() => append(topic, partition, records), where);
    return { firstOffset: 0, times: [] };
  });
}

function updatesLater(connections: Connections, where: Where): Connections {
  return ackEarly(connections, where, TOPICS.updates);
}

function forwardsLater(connections: Connections, where: Where): Connections {
  return ackEarly(connections, where, TOPICS.events);
}

function rejectedLater(connections: Connections, where: Where): Connections {
  return ackEarly(connections, where, TOPICS.rejected);
}

function lostWakeUp(connections: Connections, { world }: Where): Connections {
  const { log } = connections;
  const changed = withAppend(connections, (append) => append);
  return {
    ...changed,
    log: {
      ...changed.log,
      waitFor: async (topic, partition, offset, signal) => {
        const before = await log.endOffset(topic, partition);
        await world.time.sleep(5);
        const after = await log.endOffset(topic, partition);
        return log.waitFor(topic, partition, before === after ? offset : after, signal);
      },
    },
  };
}
