import { describe, expect, it } from 'vitest';
import type { MemoryStateDisk } from '../../../platform/state/memory-state.ts';
import type { Fence, StateStore } from '../../../platform/state/port.ts';
import { failingCases } from '../../contracts/contract.ts';
import { STATE_CONTRACT } from '../../contracts/state-contract.ts';
import { memoryHarness } from './harness.ts';

const BY_EPOCH = 'fenced by epoch: a zombie neither writes nor reads';
const BY_OFFSET = 'fenced by offset: a step or a load from an older checkpoint is refused';
const HOSTILE =
  'hostile texts are scopes, keys, fields, values and members like any other, and none is taken for another';

/** Stores that are wrong in one thing each. A contract counts once it has caught them. */
const PLANTED: readonly [
  fault: string,
  caughtBy: string,
  alter: (store: StateStore, disk: MemoryStateDisk) => StateStore,
][] = [
  [
    'forgets the epoch when it writes',
    BY_EPOCH,
    (store, disk) =>
      alter(store, { commit: (scope, fence, step) => store.commit(scope, withEpoch(disk, scope, fence), step) }),
  ],
  [
    'forgets the epoch when it reads',
    BY_EPOCH,
    (store, disk) =>
      alter(store, { load: (scope, fence, keys) => store.load(scope, withEpoch(disk, scope, fence), keys) }),
  ],
  [
    'forgets the offset when it writes',
    BY_OFFSET,
    (store, disk) =>
      alter(store, { commit: (scope, fence, step) => store.commit(scope, withOffset(disk, scope, fence), step) }),
  ],
  [
    'forgets the offset when it reads timers',
    BY_OFFSET,
    (store, disk) =>
      alter(store, {
        due: (scope, fence, upTo, limit) => store.due(scope, withOffset(disk, scope, fence), upTo, limit),
      }),
  ],
  [
    'writes the fields first and the timers and the checkpoint after',
    'a step that was cut off is there whole or not at all',
    (store) =>
      alter(store, {
        commit: async (scope, fence, step) => {
          const half = { ...step.next, nextOffset: fence.nextOffset ?? 0 };
          const between = await store.commit(scope, fence, {
            next: half,
            writes: step.writes,
            timers: [],
            dropKeys: step.dropKeys ?? [],
          });
          return store.commit(scope, between, { next: step.next, writes: [], timers: step.timers });
        },
      }),
  ],
  [
    'leaves the fields of a step that it refuses',
    BY_EPOCH,
    (store, disk) =>
      alter(store, {
        commit: async (scope, fence, step) => {
          const hashes = disk.scopes.get(scope)?.hashes;
          for (const [key, field, value] of step.writes)
            if (value !== null) hashes?.set(key, new Map([[field, value]]));
          return store.commit(scope, withOffset(disk, scope, withEpoch(disk, scope, fence)), step);
        },
      }),
  ],
  [
    'acknowledges before the step is durable',
    'what was acknowledged is there after the process was cut off',
    (store) =>
      alter(store, {
        commit: async (scope, fence, step) => {
          setImmediate(() => void store.commit(scope, fence, step).catch(() => undefined));
          return { epoch: fence.epoch, nextOffset: step.next.nextOffset };
        },
      }),
  ],
  [
    'cuts keys at a NUL',
    HOSTILE,
    (store) =>
      alter(store, {
        commit: (scope, fence, step) => store.commit(scope, fence, { ...step, writes: step.writes.map(cutAtNul) }),
      }),
  ],
  [
    'keeps texts as UTF-8',
    HOSTILE,
    (store) =>
      alter(store, {
        commit: (scope, fence, step) => store.commit(scope, fence, { ...step, writes: step.writes.map(asUtf8) }),
      }),
  ],
  [
    'orders the timers of one instant as UTF-8 does',
    'timers come by instant, then by member as UTF-16 text, up to and at the bound, as many as asked',
    (store) =>
      alter(store, {
        due: async (...call) => {
          const due = await store.due(...call);
          return due.sort(
            (one, two) => one.at - two.at || Buffer.compare(Buffer.from(one.member), Buffer.from(two.member)),
          );
        },
      }),
  ],
  [
    'forgets its epochs in a restart',
    'a claim raises the epoch, for ever, and tells the checkpoint',
    (store, disk) => {
      for (const scope of disk.scopes.values()) scope.epoch = 0;
      return store;
    },
  ],
];

describe('the contract of the state catches a store that', () => {
  it.each(PLANTED)('%s', { timeout: 60_000 }, async (_, caughtBy, plant) => {
    const cases = STATE_CONTRACT.filter(({ title }) => title === caughtBy);
    expect(cases).toHaveLength(1);
    expect(await failingCases(cases, () => memoryHarness())).toEqual([]);
    expect(await failingCases(cases, () => memoryHarness(plant))).toEqual([caughtBy]);
  });
});

function withEpoch(disk: MemoryStateDisk, scope: string, fence: Fence): Fence {
  return { ...fence, epoch: disk.scopes.get(scope)?.epoch ?? fence.epoch };
}

function withOffset(disk: MemoryStateDisk, scope: string, fence: Fence): Fence {
  return { ...fence, nextOffset: disk.scopes.get(scope)?.checkpoint?.nextOffset };
}

type Write = readonly [key: string, field: string, value: string | null];

function cutAtNul([key, field, value]: Write): Write {
  return [key.split('\u0000')[0] || key, field, value];
}

function asUtf8([key, field, value]: Write): Write {
  return [Buffer.from(key).toString(), Buffer.from(field).toString(), value];
}

function alter(store: StateStore, planted: Partial<StateStore>): StateStore {
  return {
    claim: (...call) => store.claim(...call),
    load: (...call) => store.load(...call),
    due: (...call) => store.due(...call),
    commit: (...call) => store.commit(...call),
    peek: (...call) => store.peek(...call),
    scan: (...call) => store.scan(...call),
    close: () => store.close(),
    ...planted,
  };
}
