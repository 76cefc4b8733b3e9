import { checkCluster, checkVolume } from './check.ts';
import { commandIdOf } from './commands.ts';
import { brakeEngages, isStale, noticeIsRipe } from './held.ts';
import { CLUSTER_LADDER, VOLUME_LADDER } from './ladder.ts';
import { decideLow } from './low.ts';
import { planNotices, replanNotices } from './notice-times.ts';
import { clusterSteps, shiftSteps, volumeSteps } from './notices.ts';
import { alertsOverdue, goesOn, mayRepeat, nextLookAt } from './overdue.ts';
import { clusterExists, endDecommissions } from './reservation-end.ts';
import { willHold } from './reserved.ts';
import { coversResumption } from './restore.ts';

/** N: the decisions of enforcement, each a pure function or a table; the fold only carries out what they say. */
export interface Rules {
  readonly clusterLadder: typeof CLUSTER_LADDER;
  readonly volumeLadder: typeof VOLUME_LADDER;
  readonly clusterSteps: typeof clusterSteps;
  readonly volumeSteps: typeof volumeSteps;
  readonly shiftSteps: typeof shiftSteps;
  readonly checkCluster: typeof checkCluster;
  readonly checkVolume: typeof checkVolume;
  readonly decideLow: typeof decideLow;
  readonly coversResumption: typeof coversResumption;
  readonly endDecommissions: typeof endDecommissions;
  readonly clusterExists: typeof clusterExists;
  readonly willHold: typeof willHold;
  readonly planNotices: typeof planNotices;
  readonly replanNotices: typeof replanNotices;
  readonly goesOn: typeof goesOn;
  readonly mayRepeat: typeof mayRepeat;
  readonly nextLookAt: typeof nextLookAt;
  readonly alertsOverdue: typeof alertsOverdue;
  readonly commandIdOf: typeof commandIdOf;
  readonly isStale: typeof isStale;
  readonly noticeIsRipe: typeof noticeIsRipe;
  readonly brakeEngages: typeof brakeEngages;
}

/** The rules of SPEC section N. Tests replace one at a time to see that their checkers notice. */
export const RULES: Rules = Object.freeze({
  clusterLadder: CLUSTER_LADDER,
  volumeLadder: VOLUME_LADDER,
  clusterSteps,
  volumeSteps,
  shiftSteps,
  checkCluster,
  checkVolume,
  decideLow,
  coversResumption,
  endDecommissions,
  clusterExists,
  willHold,
  planNotices,
  replanNotices,
  goesOn,
  mayRepeat,
  nextLookAt,
  alertsOverdue,
  commandIdOf,
  isStale,
  noticeIsRipe,
  brakeEngages,
});
