import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbEnvironment } from '../../../platform/lmdb/environment.ts';
import { SimulatedProcess } from '../../../platform/memory/simulation.ts';
import { openLmdbState } from '../../../platform/state/lmdb-state.ts';
import { MemoryStateDisk, openMemoryState } from '../../../platform/state/memory-state.ts';
import type { StateStore } from '../../../platform/state/port.ts';
import type { StateHarness } from '../../contracts/state-contract.ts';

/** The store in memory; a cut is a crash of the simulated process, of which only the disk is left. */
export async function memoryHarness(
  alter: (store: StateStore, disk: MemoryStateDisk) => StateStore = (store) => store,
): Promise<StateHarness> {
  const disk = new MemoryStateDisk();
  let running = new SimulatedProcess();
  return {
    open: async () => alter(openMemoryState({ disk, process: running }), disk),
    cut: async () => {
      running.crash();
      running = new SimulatedProcess();
    },
    dispose: async () => {},
  };
}

/** The store in LMDB; within one process a cut is a clean end (what a kill -9 does is tested by child processes). */
export async function lmdbHarness(): Promise<StateHarness> {
  const directory = await mkdtemp(join(tmpdir(), 'tollgate-state-'));
  const opened: { environment: LmdbEnvironment; store: StateStore }[] = [];
  const cut = async () => {
    for (const { environment, store } of opened.splice(0)) {
      await store.close();
      await environment.close();
    }
  };
  return {
    open: async () => {
      const environment = await LmdbEnvironment.open({ directory });
      const store = openLmdbState(environment);
      opened.push({ environment, store });
      return store;
    },
    cut,
    dispose: async () => {
      await cut();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
