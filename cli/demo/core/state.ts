import type { Instant } from '../../../services/shared/time.ts';

/** What the fleet remembers between steps. Plain data: it is kept as JSON between runs. */
export interface FleetState {
  /** The last step; everything due up to it was done. */
  readonly at: Instant;
  /** One for each persona, in their order. */
  readonly accounts: readonly CustomerState[];
}

export interface CustomerState {
  readonly opened: boolean;
  /** Grants and reservations so far: their ids are numbered. */
  readonly grants: number;
  readonly reservations: number;
  readonly grantedAt: Instant;
  /** Since when it has been in arrears; null: it is not. */
  readonly exhaustedAt: Instant | null;
  readonly promotedUntil: Instant;
  readonly extended: boolean;
  /** Its policy is the one for samples that come every few seconds. */
  readonly fine: boolean;
  readonly clusters: readonly ClusterState[];
  readonly volumes: readonly VolumeState[];
}

/**
 * A cluster is `absent` until it is started, `running` until it is told to pause, `paused` until it is resumed, and `absent`
 * again once it was decommissioned; then its next generation has another id.
 */
export interface ClusterState {
  readonly status: 'absent' | 'running' | 'paused';
  readonly generation: number;
  readonly since: Instant;
  /** Samples were sent for all before this instant. */
  readonly reportedUntil: Instant;
  /** Scope `burst`: shrunk to what is reserved until the account is restored. */
  readonly shrunk: boolean;
  readonly ignoredPauses: number;
  /** K: of the last order that was carried out or let pass; lower ones are ignored. */
  readonly sequence: number;
}

export interface VolumeState {
  /** A revoked one still holds data and is still metered. */
  readonly status: 'absent' | 'attached' | 'revoked';
  readonly generation: number;
  readonly since: Instant;
  readonly reportedUntil: Instant;
  readonly sequence: number;
}

const NEW_CLUSTER: ClusterState = {
  status: 'absent',
  generation: 0,
  since: 0,
  reportedUntil: 0,
  shrunk: false,
  ignoredPauses: 0,
  sequence: 0,
};

const NEW_VOLUME: VolumeState = { status: 'absent', generation: 0, since: 0, reportedUntil: 0, sequence: 0 };

/** Before anything happened. */
export function newFleet(
  plans: readonly { readonly clusters: readonly unknown[]; readonly volumes: readonly unknown[] }[],
): FleetState {
  return {
    at: -1,
    accounts: plans.map(({ clusters, volumes }) => ({
      opened: false,
      grants: 0,
      reservations: 0,
      grantedAt: 0,
      exhaustedAt: null,
      promotedUntil: 0,
      extended: false,
      fine: false,
      clusters: clusters.map(() => NEW_CLUSTER),
      volumes: volumes.map(() => NEW_VOLUME),
    })),
  };
}
