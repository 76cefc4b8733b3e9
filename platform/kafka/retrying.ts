import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaCluster } from './cluster.ts';
import type { KafkaLogger } from './connection.ts';
import { KafkaFault } from './faults.ts';

/** How long, and for whom, something is tried again. */
export interface Patience {
  readonly cluster: KafkaCluster;
  readonly logger: KafkaLogger;
  /** What is tried, for the log's lines and the fault. */
  readonly what: string;
  /** From the first try until the fault is given up on; an attempt under way then is still awaited. */
  readonly unavailableMs: number;
  /** Ends the tries early, with the last fault. */
  readonly signal?: AbortSignal;
}

const PAUSE_FIRST_MS = 20;
const PAUSE_MAX_MS = 1_000;

/**
 * Runs `attempt` until it succeeds. After a fault that may heal, the leaders are asked for anew and it runs again, with
 * growing pauses. Throws the fault once `unavailableMs` are over, at once if it is final, and any other error as it is.
 */
export async function retrying<Result>(patience: Patience, attempt: () => Promise<Result>): Promise<Result> {
  const { cluster, logger, what, signal } = patience;
  const startedAt = performance.now();
  let pauseMs = PAUSE_FIRST_MS;
  for (let tries = 1; ; tries += 1) {
    try {
      const result = await attempt();
      if (tries > 1) logger.info({ what, tries }, 'kafka answers again');
      return result;
    } catch (error) {
      const left = startedAt + patience.unavailableMs - performance.now();
      if (!(error instanceof KafkaFault) || !error.retriable || left <= 0 || signal?.aborted) throw error;
      if (tries === 1) logger.warn({ what, fault: error.message }, 'kafka does not answer; trying again');
      try {
        await sleep(Math.min(pauseMs, left), undefined, signal === undefined ? {} : { signal });
      } catch {
        throw error; // aborted: the fault is what is told
      }
      pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS);
      await refreshQuietly(cluster);
    }
  }
}

/** The next attempt says what is wrong, if it still is. */
async function refreshQuietly(cluster: KafkaCluster): Promise<void> {
  try {
    await cluster.refresh();
  } catch (error) {
    if (!(error instanceof KafkaFault)) throw error;
  }
}
