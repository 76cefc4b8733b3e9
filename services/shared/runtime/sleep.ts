import { setTimeout as delay } from 'node:timers/promises';

/** Resolves after that long, or at once when aborted. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch((fault: unknown) => {
    if (!signal.aborted) throw fault;
  });
}
