import { assertNever } from '../../shared/assert-never.ts';
import type { ClusterCover } from './notices.ts';
import { uncoveredOf } from './reserved.ts';
import type { ClusterState, Step, VolumeState } from './state.ts';

/** Why a planned action was not carried out. */
export type DropReason =
  | 'reserved'
  | 'reservation_to_begin'
  | 'no_reservation_holds'
  | 'nothing_uncovered'
  | 'idle_for_a_day'
  | 'not_stopped'
  | 'restored'
  | 'resumed'
  | 'gone'
  | 'reservation_ended'
  | 'no_notice';

export type Verdict = { readonly kind: 'fit' } | { readonly kind: 'idle' } | UnfitVerdict;
interface UnfitVerdict {
  readonly kind: 'unfit';
  readonly why: DropReason;
}

const FIT: Verdict = { kind: 'fit' };
const IDLE: Verdict = { kind: 'idle' };

/** N4: whether a planned action of a cluster of an exhausted account is still what N3 says. */
export function checkCluster(next: Step, cluster: ClusterState, cover: ClusterCover): Verdict {
  if (next.scope === 'burst') {
    if (!cover.holds) return unfit('no_reservation_holds');
    return uncoveredOf(cluster.facts) > 0 ? FIT : unfit('nothing_uncovered');
  }
  if (cover.holds) return unfit('reserved');
  switch (next.command) {
    case 'pause':
      return cluster.facts?.active === true ? FIT : IDLE;
    case 'decommission':
      if (cluster.paused === undefined) return unfit('not_stopped');
      return cover.begins ? unfit('reservation_to_begin') : FIT;
    case 'revoke':
      throw new Error(`N3: a cluster is not revoked: ${cluster.id}`);
    default:
      return assertNever(next.command);
  }
}

/** N4: whether a planned action of a volume of an exhausted account is still what N3 says. */
export function checkVolume(next: Step, volume: VolumeState): Verdict {
  switch (next.command) {
    case 'revoke':
      return volume.facts?.active === true ? FIT : IDLE;
    case 'decommission':
      return volume.order?.sent.command === 'revoke' ? FIT : unfit('not_stopped');
    case 'pause':
      throw new Error(`N3: a volume is not paused: ${volume.id}`);
    default:
      return assertNever(next.command);
  }
}

function unfit(why: DropReason): UnfitVerdict {
  return { kind: 'unfit', why };
}
