import { CLUSTER_LADDER, VOLUME_LADDER } from '../../../services/enforcer/core/ladder.ts';
import { RULES, type Rules } from '../../../services/enforcer/core/rules.ts';
import type { Step } from '../../../services/enforcer/core/state.ts';
import { HOUR_MS } from '../../../services/shared/time.ts';

export interface Fault {
  readonly name: string;
  /** A seed that shows it within a few histories. */
  readonly seed: number;
  /** What the checker is to say of it, at least. */
  readonly breaks: RegExp;
  readonly rules: Rules;
}

const { clusterSteps, volumeSteps, checkCluster, endDecommissions } = RULES;
const NOTHING_HOLDS = { holds: false, begins: false };

function withLadder(status: keyof typeof CLUSTER_LADDER, changes: Partial<(typeof CLUSTER_LADDER)['clear']>): Rules {
  const clusterLadder = { ...CLUSTER_LADDER, [status]: { ...CLUSTER_LADDER[status], ...changes } };
  return { ...RULES, clusterLadder };
}

function withVolumeLadder(
  status: keyof typeof VOLUME_LADDER,
  changes: Partial<(typeof VOLUME_LADDER)['clear']>,
): Rules {
  const volumeLadder = { ...VOLUME_LADDER, [status]: { ...VOLUME_LADDER[status], ...changes } };
  return { ...RULES, volumeLadder };
}

function sooner(steps: readonly Step[]): readonly Step[] {
  return steps.map((step) => ({ ...step, at: step.at - 1 }));
}

/** Bugs that somebody might write, each in one or two leaf decisions. They stay: a law counts once it has caught one. */
export const FAULTS: readonly Fault[] = [
  {
    name: 'a reserved cluster is paused like any other',
    seed: 3,
    breaks: /^L2|^N3/,
    rules: {
      ...RULES,
      clusterSteps: (cluster, _cover, policy, at) => clusterSteps(cluster, NOTHING_HOLDS, policy, at),
      checkCluster: (next, cluster) => checkCluster(next, cluster, NOTHING_HOLDS),
    },
  },
  {
    name: 'a pause is not checked against reservations at its time',
    seed: 55,
    breaks: /^L2/,
    rules: {
      ...RULES,
      checkCluster: (next, cluster, cover) =>
        checkCluster(next, cluster, next.command === 'pause' ? NOTHING_HOLDS : cover),
    },
  },
  {
    name: 'a cluster is decommissioned without a pause',
    seed: 1,
    breaks: /^L3|^N3/,
    rules: {
      ...RULES,
      clusterSteps: (cluster, cover, policy, at) => {
        const steps = clusterSteps(cluster, cover, policy, at);
        return steps.length === 2 ? steps.slice(1) : steps;
      },
      checkCluster: () => ({ kind: 'fit' }),
    },
  },
  {
    name: 'a volume is decommissioned without a revoke',
    seed: 1,
    breaks: /^L3/,
    rules: {
      ...RULES,
      volumeSteps: (volume, policy, at) => volumeSteps(volume, policy, at).slice(1),
      checkVolume: () => ({ kind: 'fit' }),
    },
  },
  {
    name: 'a decommission goes ahead although a reservation is to begin',
    seed: 7,
    breaks: /^N4/,
    rules: {
      ...RULES,
      checkCluster: (next, cluster, cover) => checkCluster(next, cluster, { ...cover, begins: false }),
    },
  },
  {
    name: 'an action comes a millisecond before its time',
    seed: 1,
    breaks: /^N3/,
    rules: { ...RULES, clusterSteps: (...given) => sooner(clusterSteps(...given)) },
  },
  {
    name: 'a restoration leaves a pause coming',
    seed: 57,
    breaks: /^L4|^N4|^N3/,
    rules: withLadder('pause_coming', { restored: 'keep' }),
  },
  {
    name: 'a restoration leaves a pause ordered',
    seed: 10,
    breaks: /^N5|^N3|^N7/,
    rules: withLadder('paused', { restored: 'keep' }),
  },
  {
    name: 'a restoration does not restore volumes',
    seed: 4,
    breaks: /^N5/,
    rules: withVolumeLadder('revoked', { restored: 'keep' }),
  },
  {
    name: 'a decommission of a volume is not taken back',
    seed: 25,
    breaks: /^N5/,
    rules: withVolumeLadder('removal_ordered', { restored: 'keep' }),
  },
  {
    name: 'a cluster is resumed although the balance does not cover it',
    seed: 4,
    breaks: /^N5/,
    rules: { ...RULES, coversResumption: () => true },
  },
  {
    name: 'a cluster is never resumed',
    seed: 2,
    breaks: /^N5/,
    rules: { ...RULES, coversResumption: () => false },
  },
  {
    name: 'a paused cluster that gets a reservation is not resumed',
    seed: 2,
    breaks: /^N5/,
    rules: withLadder('paused', { reserved: 'keep' }),
  },
  {
    name: 'the end of a reservation decommissions although another follows',
    seed: 6,
    breaks: /^N6/,
    rules: { ...RULES, endDecommissions: (reservation, _others, at) => endDecommissions(reservation, [], at) },
  },
  {
    name: 'a successor that begins after exactly 72 h is missed',
    seed: 6,
    breaks: /^N6/,
    rules: {
      ...RULES,
      endDecommissions: (reservation, others, at) =>
        endDecommissions(
          reservation,
          others.filter((other) => other.facts.startsAt !== at + 72 * HOUR_MS),
          at,
        ),
    },
  },
  {
    name: 'a plain cancellation decommissions',
    seed: 22,
    breaks: /^N6/,
    rules: {
      ...RULES,
      endDecommissions: (reservation, others, at) =>
        endDecommissions({ ...reservation, facts: { ...reservation.facts, endSetBy: 'term' } }, others, at),
    },
  },
  {
    name: 'a cluster that is gone is decommissioned at its end',
    seed: 1,
    breaks: /^N6/,
    rules: { ...RULES, clusterExists: () => true },
  },
  {
    name: 'notices whose time is past are not sent',
    seed: 1,
    breaks: /^N6/,
    rules: {
      ...RULES,
      planNotices: (until, beforeMs, at) => ({ ...RULES.planNotices(until, beforeMs, at), now: false }),
    },
  },
  {
    name: 'a reservation that will not hold sends notices',
    seed: 3,
    breaks: /^N6/,
    rules: { ...RULES, willHold: () => true },
  },
  {
    name: 'an idle cluster is paused',
    seed: 1,
    breaks: /^N4/,
    rules: withLadder('pause_coming', { due_idle: 'carry_out' }),
  },
  {
    name: 'an idle cluster is let off at once',
    seed: 7,
    breaks: /^N3|^N4/,
    rules: {
      ...RULES,
      checkCluster: (next, cluster, cover) => {
        const verdict = checkCluster(next, cluster, cover);
        return verdict.kind === 'idle' ? { kind: 'unfit', why: 'not_stopped' } : verdict;
      },
    },
  },
  {
    name: 'a volume that was idle for a day is revoked',
    seed: 1,
    breaks: /^N4/,
    rules: withVolumeLadder('revoke_waiting', { wait_over: 'carry_out' }),
  },
  {
    name: 'what follows a late action does not move',
    seed: 7,
    breaks: /^N4/,
    rules: { ...RULES, shiftSteps: (steps) => steps },
  },
  {
    name: 'a resource that was ordered gets a second notice',
    seed: 1,
    breaks: /^N3/,
    rules: withLadder('paused', { unfunded: 'announce' }),
  },
  {
    name: 'what starts while exhausted gets no notice',
    seed: 1,
    breaks: /^N3/,
    rules: {
      ...RULES,
      clusterSteps: (cluster, cover, policy, at) =>
        cluster.facts?.since === at ? [] : clusterSteps(cluster, cover, policy, at),
    },
  },
  {
    name: 'an order is sent again to a resource that is idle',
    seed: 1,
    breaks: /^N7/,
    rules: { ...RULES, goesOn: (resource) => resource.order !== undefined && resource.order.sent.command !== 'revoke' },
  },
  {
    name: 'an order is not sent again',
    seed: 1,
    breaks: /^N7/,
    rules: { ...RULES, goesOn: () => false },
  },
  {
    name: 'a revoke is sent again',
    seed: 58,
    breaks: /^N7|^N4|^L5/,
    rules: { ...RULES, goesOn: (resource) => resource.order !== undefined && resource.facts?.active === true },
  },
  {
    name: 'an order is sent again every two hours',
    seed: 1,
    breaks: /^N7/,
    rules: {
      ...RULES,
      nextLookAt: (order) => {
        const at = RULES.nextLookAt(order);
        return at + (((at - order.overdueAt) / HOUR_MS) % 2) * HOUR_MS;
      },
    },
  },
  {
    name: 'operators do not hear of what is overdue',
    seed: 1,
    breaks: /^N7/,
    rules: { ...RULES, alertsOverdue: () => false },
  },
  {
    name: 'a decommission is sent again although a reservation is to begin',
    seed: 21,
    breaks: /^N4|^N7/,
    rules: { ...RULES, mayRepeat: () => true },
  },
  {
    name: 'an id leaves out the attempt',
    seed: 1,
    breaks: /^N8/,
    rules: { ...RULES, commandIdOf: (account, draft) => RULES.commandIdOf(account, { ...draft, attempt: 1 }) },
  },
  {
    name: 'an id leaves out the cause',
    seed: 1,
    breaks: /^N8/,
    rules: { ...RULES, commandIdOf: (account, draft) => RULES.commandIdOf(account, { ...draft, cause: '' }) },
  },
  {
    name: 'a low balance alerts each time',
    seed: 1,
    breaks: /^N2/,
    rules: { ...RULES, decideLow: (input) => RULES.decideLow({ ...input, alerts: new Map() }) },
  },
  {
    name: 'a low balance that a burn rate of 0 cleared alerts again',
    seed: 1,
    breaks: /^N2/,
    rules: {
      ...RULES,
      decideLow: (input) =>
        input.burnRateNanos === 0n ? { alertMs: undefined, alerts: new Map() } : RULES.decideLow(input),
    },
  },
  {
    name: 'a low balance alerts of the longest threshold',
    seed: 1,
    breaks: /^N2/,
    rules: {
      ...RULES,
      decideLow: (input) => {
        const decision = RULES.decideLow(input);
        if (decision.alertMs === undefined) return decision;
        const fresh = input.passed.filter((ms) => !input.before.includes(ms));
        return { ...decision, alertMs: Math.max(...fresh) };
      },
    },
  },
];
