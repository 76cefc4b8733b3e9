import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbEnvironment } from '../../../platform/lmdb/environment.ts';
import { openLmdbLog } from '../../../platform/log/lmdb-log.ts';
import { MemoryLogDisk, openMemoryLog } from '../../../platform/log/memory-log.ts';
import type { EventLog } from '../../../platform/log/port.ts';
import { SimulatedProcess } from '../../../platform/memory/simulation.ts';
import type { LogHarness } from '../../contracts/log-contract.ts';

/** The log in memory; a cut is a crash of the simulated process, of which only the disk is left. */
export async function memoryHarness(
  alter: (log: EventLog, disk: MemoryLogDisk) => EventLog = (log) => log,
): Promise<LogHarness> {
  const disk = new MemoryLogDisk();
  let running = new SimulatedProcess();
  return {
    open: async (opening) => alter(openMemoryLog({ ...opening, disk, process: running }), disk),
    cut: async () => {
      running.crash();
      running = new SimulatedProcess();
    },
    dispose: async () => {},
  };
}

/** The log in LMDB; within one process a cut is a clean end (what a kill -9 does is tested by child processes). */
export async function lmdbHarness(): Promise<LogHarness> {
  const directory = await mkdtemp(join(tmpdir(), 'tollgate-log-'));
  const opened: { environment: LmdbEnvironment; log: EventLog | undefined }[] = [];
  const cut = async () => {
    for (const { environment, log } of opened.splice(0)) {
      await log?.close();
      await environment.close();
    }
  };
  return {
    open: async (opening) => {
      const environment = await LmdbEnvironment.open({ directory });
      const entry: (typeof opened)[number] = { environment, log: undefined };
      opened.push(entry);
      entry.log = await openLmdbLog({ environment, ...opening });
      return entry.log;
    },
    cut,
    dispose: async () => {
      await cut();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
