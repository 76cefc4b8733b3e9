import { MINUTE_MS, SECOND_MS } from '../../../services/shared/time.ts';
import { drawn, type World } from './world.ts';

/** Silence longer than this was no work: the machines were off, as was the demo. */
export const SILENCE_MS = 20 * MINUTE_MS;
/** So long after a decommission the customer starts anew. */
export const REBIRTH_MS = 3 * MINUTE_MS;
const REPORT_LEAST_MS = 10 * SECOND_MS;
const REPORT_SPREAD_S = 21;

/** How often a resource reports in life: every 10 to 30 seconds. */
export function reportEveryMs(world: World, id: string): number {
  return REPORT_LEAST_MS + drawn(world, `period/${id}`, REPORT_SPREAD_S) * SECOND_MS;
}
