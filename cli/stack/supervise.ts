import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { runFolder } from './folder.ts';
import type { Plan } from './plan.ts';
import { supervise } from './supervisor.ts';

/**
 * The process that runs a plan: `supervise.ts FOLDER`, with the plan in FOLDER/plan.json, which `up` wrote. It ends by
 * SIGTERM or SIGINT, and stops all that it started before it does. Its log is its stdout.
 */
async function main(dir: string): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
  const folder = runFolder(dir);
  // written by this program for this program, in a file of its owner's
  const plan: Plan = JSON.parse(readFileSync(folder.plan, 'utf8'));
  const logger = pino({ base: null }, pino.destination({ dest: 1, sync: true }));
  const how = await supervise({
    ...{ plan, statusFile: folder.status, logs: folder.logs },
    ...{ stopping: stopping.signal, logger },
  });
  return how === 'stopped' ? 0 : 1;
}

process.exitCode = await main(process.argv[2] ?? '.');
