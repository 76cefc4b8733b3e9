import { setTimeout as delay } from 'node:timers/promises';
import type { StateStore } from '../../platform/state/port.ts';
import { openClusterState } from '../../services/shared/runtime/connect.ts';
import { type Environment, SILENT, settingsOf } from './servers.ts';

const POLL_MS = 50;

/** Looks at how far the raters of a world have come, from outside. */
export interface Checkpoints {
  /** By partition, the offset that is next; 0 without a checkpoint. */
  now(): Promise<readonly number[]>;
  /** Resolves once every partition's checkpoint is at its offset or beyond. @throws Error after `withinMs` */
  reach(offsets: readonly number[], withinMs: number): Promise<void>;
  close(): Promise<void>;
}

export async function watchCheckpoints(environment: Environment, partitions: number): Promise<Checkpoints> {
  const state: StateStore = await openClusterState(settingsOf(environment), SILENT);
  const now = async (): Promise<readonly number[]> => {
    const peeks = Array.from({ length: partitions }, (_, partition) => state.peek(`rater/${partition}`, []));
    return (await Promise.all(peeks)).map(({ checkpoint }) => checkpoint?.nextOffset ?? 0);
  };
  return {
    now,
    reach: async (offsets, withinMs) => {
      const deadline = performance.now() + withinMs;
      for (;;) {
        const found = await now();
        if (offsets.every((offset, partition) => (found[partition] ?? 0) >= offset)) return;
        if (performance.now() > deadline)
          throw new Error(`after ${withinMs} ms checkpoints are at ${found.join(', ')}`);
        await delay(POLL_MS);
      }
    },
    close: () => state.close(),
  };
}
