import { DAY_MS, HOUR_MS, type Instant, MINUTE_MS } from '../../../services/shared/time.ts';

/** What a demo is made of, and all that it is made of: the same world gives the same history (L10). */
export interface World {
  readonly seed: string;
  /** When the demo was first started: history ends here, and plans count from here. */
  readonly epochAt: Instant;
  /** The beginning of history, a midnight. */
  readonly beganAt: Instant;
  /** From here on everything is seen by the minute; before, by quarter hours. */
  readonly fineFrom: Instant;
}

const HISTORY_MS = 30 * DAY_MS;
const FINE_MS = 3 * HOUR_MS;
const COARSE_STEP_MS = 15 * MINUTE_MS;
const FINE_STEP_MS = MINUTE_MS;

/** The midnight at which the history of a demo begins that is started at `epochAt`. */
export function beganAtOf(epochAt: Instant): Instant {
  return floorTo(epochAt - HISTORY_MS, DAY_MS);
}

export function worldOf(seed: string, beganAt: Instant, epochAt: Instant): World {
  return { seed, epochAt, beganAt, fineFrom: floorTo(epochAt - FINE_MS, COARSE_STEP_MS) };
}

/** The instants at which history is looked at: the last is the epoch. */
export function* historySteps(world: World): Iterable<Instant> {
  for (let at = world.beganAt; at < world.fineFrom; at += COARSE_STEP_MS) yield at;
  for (let at = world.fineFrom; at < world.epochAt; at += FINE_STEP_MS) yield at;
  yield world.epochAt;
}

/** A number from 0 to `below` - 1 that depends on the seed and the name alone (FNV-1a). */
export function drawn(world: World, name: string, below: number): number {
  let hash = 0x811c9dc5;
  for (const character of `${world.seed}/${name}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return ((hash ^ (hash >>> 15)) >>> 0) % below;
}

function floorTo(at: Instant, unitMs: number): Instant {
  return Math.floor(at / unitMs) * unitMs;
}
