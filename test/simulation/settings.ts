import type { Random } from '../histories/random.ts';

/** How one simulation is run. Drawn from its seed; a test may set some of it. */
export interface Settings {
  readonly partitions: number;
  /** Rater and enforcer of a partition in one process, as embedded, or each in one of its own. */
  readonly layout: 'together' | 'apart';
  /** The log stamps times, and the enforcer reads the wall clock (N9). */
  readonly live: boolean;
  readonly startAt: number;
  readonly accountsMax: number;
  readonly runRecordsMax: number;
  readonly groupRecordsMax: number;
  readonly groupMs: number;
  readonly enforcerRunRecordsMax: number;
  readonly checkpointRecordsMax: number;
  readonly wallClockMs: number;
  /** Probability that a write ends the process; of a read it is a tenth of that. */
  readonly crashes: number;
  /** Probability that a call fails. */
  readonly failures: number;
  /** Probability that a call takes time, and how long at most. */
  readonly delays: number;
  readonly delayMaxMs: number;
  /** How often somebody stops, kills or replaces a process, on average; 0: never. */
  readonly disturbedEveryMs: number;
  /** Lines that come in at once, and the pause after them. */
  readonly pieceMax: number;
  readonly pauseMaxMs: number;
}

/** 2026-01-01T00:00:00.000Z */
export const SIMULATION_BEGINS = 1_767_225_600_000;

export function drawSettings(random: Random): Settings {
  return {
    partitions: random.pick([1, 1, 1, 2, 3]),
    layout: random.pick(['together', 'apart']),
    live: false,
    startAt: SIMULATION_BEGINS,
    accountsMax: random.pick([1, 1, 2, 2, 3, 100]),
    runRecordsMax: random.int(1, 20),
    groupRecordsMax: random.pick([1, 2, 5, 10, 40, 1000]),
    groupMs: random.pick([1, 50, 1000, 5000]),
    enforcerRunRecordsMax: random.int(1, 20),
    checkpointRecordsMax: random.pick([1, 3, 20, 1000]),
    wallClockMs: 1000,
    crashes: random.pick([0, 0.01, 0.03, 0.06]),
    failures: random.pick([0, 0, 0.005, 0.02]),
    delays: random.pick([0.1, 0.5, 0.9]),
    delayMaxMs: random.pick([1, 20, 500]),
    disturbedEveryMs: random.pick([0, 100, 300, 1000, 4000]),
    pieceMax: random.pick([1, 3, 10, 60]),
    pauseMaxMs: random.pick([0, 50, 200, 1000]),
  };
}
