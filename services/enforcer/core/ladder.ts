import type { ClusterState, VolumeState } from './state.ts';

/*
 * The machine of a resource, in prose.
 *
 * A cluster is `clear` until the account is exhausted and N3 lists it. If a reservation of it holds, a decommission of its
 * burst is announced (`burst_coming`), carried out (`burst_ordered`) and repeated while it bursts. Otherwise a pause is
 * announced (`pause_coming`), waits if it finds the cluster idle (`pause_waiting`), is carried out (`paused`) and repeated
 * while the cluster runs on; after it, its decommission (`removal_ordered`). A restoration cancels what is coming and takes
 * back what was ordered for want of credits, so that a cluster `stays_paused` until the balance covers the resumption; if
 * the account is exhausted before that, its decommission is announced anew (`removal_coming`). The end of its reservation
 * leads to `end_ordered` from anywhere. A reservation that comes to hold resumes it, the control plane's word that it is
 * gone makes it `clear`.
 *
 * A volume is revoked instead of paused, and restored at once at a restoration.
 */

export type ClusterStatus =
  | 'clear'
  | 'burst_coming'
  | 'burst_ordered'
  | 'pause_coming'
  | 'pause_waiting'
  | 'paused'
  | 'stays_paused'
  | 'removal_coming'
  | 'removal_ordered'
  | 'end_ordered';

export type VolumeStatus = 'clear' | 'revoke_coming' | 'revoke_waiting' | 'revoked' | 'removal_ordered';

/** What can happen to a resource. */
export type Occasion =
  /** The account is exhausted, and N3 lists it. */
  | 'unfunded'
  /** N4: the time of its next action has come (or, for one that waits, the resource is active again): as N3 says. */
  | 'due_fit'
  /** N4: likewise, and it would be as N3 says if it were active. */
  | 'due_idle'
  /** N4: likewise, and it is not what N3 says any more. */
  | 'due_unfit'
  /** N9, N11: likewise as N3 says, while enforcement is held. */
  | 'due_held'
  /** N4: it has been idle for 24 h since the time of its action. */
  | 'wait_over'
  /** The time of a reminder has come. */
  | 'reminder'
  /** N7: a look at an order finds the resource going on. */
  | 'overdue'
  /** N5: the account is restored. */
  | 'restored'
  /** N5: the balance covers the resumption of all paused clusters. */
  | 'covered'
  /** A reservation of the cluster holds. */
  | 'reserved'
  /** No reservation of the cluster holds. */
  | 'unreserved'
  /** N6: its reservation ended, and it is to be decommissioned. */
  | 'reservation_ended'
  /** The control plane says that it is decommissioned. */
  | 'confirmed';

export type Outcome =
  /** Nothing changes. */
  | 'keep'
  /** N3: it gets a notice, and its actions their times. */
  | 'announce'
  /** N4: the next action is issued. */
  | 'carry_out'
  | 'wait'
  | 'hold'
  /** N4: what was coming is dropped, and the drop recorded. */
  | 'drop'
  | 'remind'
  /** N7: the order is sent again. */
  | 'repeat'
  /** N5: what was coming is cancelled. */
  | 'cancel'
  /** N5: its order ends; it stays paused until the balance covers the resumption. */
  | 'count_paused'
  | 'restore'
  | 'resume'
  /** Its order ends without another command. */
  | 'end_order'
  /** N6: its decommission for the reservation's end is issued; all else that was coming to it ends. */
  | 'order_end'
  /** It is gone: what was coming, what was ordered and that it was paused end. */
  | 'forget';

export type Ladder<Status extends string> = Readonly<Record<Status, Readonly<Record<Occasion, Outcome>>>>;

/** What no status has a reason of its own for. */
const NOTHING = {
  unfunded: 'keep',
  due_fit: 'keep',
  due_idle: 'keep',
  due_unfit: 'keep',
  due_held: 'keep',
  wait_over: 'keep',
  reminder: 'keep',
  overdue: 'keep',
  restored: 'keep',
  covered: 'keep',
  reserved: 'keep',
  unreserved: 'keep',
  reservation_ended: 'keep',
  confirmed: 'forget',
} as const satisfies Record<Occasion, Outcome>;

const COMING = {
  ...NOTHING,
  due_fit: 'carry_out',
  due_unfit: 'drop',
  due_held: 'hold',
  reminder: 'remind',
  restored: 'cancel',
} as const satisfies Record<Occasion, Outcome>;

/** N3, N4, N5, N6, N7: what each status of a cluster makes of each occasion. */
export const CLUSTER_LADDER: Ladder<ClusterStatus> = {
  clear: { ...NOTHING, unfunded: 'announce', reservation_ended: 'order_end' },
  burst_coming: { ...COMING, reservation_ended: 'order_end' },
  burst_ordered: {
    ...NOTHING,
    overdue: 'repeat',
    restored: 'end_order',
    unreserved: 'end_order',
    reservation_ended: 'order_end',
  },
  pause_coming: { ...COMING, due_idle: 'wait', reservation_ended: 'order_end' },
  pause_waiting: { ...COMING, due_idle: 'keep', wait_over: 'drop', reminder: 'keep', reservation_ended: 'order_end' },
  paused: {
    ...COMING,
    overdue: 'repeat',
    restored: 'count_paused',
    reserved: 'resume',
    reservation_ended: 'order_end',
  },
  stays_paused: {
    ...NOTHING,
    unfunded: 'announce',
    covered: 'resume',
    reserved: 'resume',
    reservation_ended: 'order_end',
  },
  removal_coming: { ...COMING, reserved: 'resume', reservation_ended: 'order_end' },
  removal_ordered: {
    ...NOTHING,
    overdue: 'repeat',
    restored: 'count_paused',
    reserved: 'resume',
    reservation_ended: 'order_end',
  },
  end_ordered: { ...NOTHING, overdue: 'repeat', reserved: 'resume', reservation_ended: 'order_end' },
};

/** N3, N4, N5, N7: what each status of a volume makes of each occasion. No reservation is of a volume. */
export const VOLUME_LADDER: Ladder<VolumeStatus> = {
  clear: { ...NOTHING, unfunded: 'announce' },
  revoke_coming: { ...COMING, due_idle: 'wait' },
  revoke_waiting: { ...COMING, wait_over: 'drop', reminder: 'keep' },
  revoked: { ...COMING, restored: 'restore' },
  removal_ordered: { ...NOTHING, overdue: 'repeat', restored: 'restore' },
};

/** Where a cluster stands, by what was ordered, what is coming and whether it was paused. */
export function clusterStatus(cluster: ClusterState): ClusterStatus {
  const sent = cluster.order?.sent;
  if (sent !== undefined) {
    if (sent.command === 'pause') return 'paused';
    if (sent.reason === 'reservation_ended') return 'end_ordered';
    return sent.scope === 'burst' ? 'burst_ordered' : 'removal_ordered';
  }
  const plan = cluster.plan;
  if (plan === undefined) return cluster.paused === undefined ? 'clear' : 'stays_paused';
  if (cluster.paused !== undefined) return 'removal_coming';
  if (plan.steps[0].scope === 'burst') return 'burst_coming';
  return plan.pending === 'waiting' ? 'pause_waiting' : 'pause_coming';
}

/** Where a volume stands, by what was ordered and what is coming. */
export function volumeStatus(volume: VolumeState): VolumeStatus {
  const sent = volume.order?.sent;
  if (sent !== undefined) return sent.command === 'revoke' ? 'revoked' : 'removal_ordered';
  if (volume.plan === undefined) return 'clear';
  return volume.plan.pending === 'waiting' ? 'revoke_waiting' : 'revoke_coming';
}
