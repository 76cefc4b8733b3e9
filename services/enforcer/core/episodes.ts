import { compareText } from '../../shared/text-order.ts';
import { resourcesInOrder } from './announce.ts';
import { episodeCause } from './commands.ts';
import { meet } from './meet.ts';
import { burnedByPaused, pausedClusters, resumesAt } from './restore.ts';
import type { ClusterState } from './state.ts';
import { issue, type Turn } from './turn.ts';

/**
 * N5: the account is restored: what was coming is cancelled, what was ordered for want of credits is taken back, and paused
 * clusters are resumed all together if the balance covers it; if not, the alert names them.
 */
export function endEpisode(turn: Turn, episode: number): void {
  const { account } = turn;
  account.episode = undefined;
  for (const resource of resourcesInOrder(account)) meet(turn, resource, { occasion: 'restored', episode });
  const paused = pausedInOrder(turn);
  const covered = covers(turn, paused);
  const burnedNanos = burnedByPaused(paused);
  const stay = {
    paused: paused.map((cluster) => cluster.id),
    resumesAtNanos: resumesAt(burnedNanos, account.policy.resumeRunwayMs),
  };
  issue(turn, {
    cause: episodeCause(episode),
    command: 'alert',
    alert: 'credits_restored',
    resource: { kind: 'account', id: account.accountId },
    reason: 'credits_restored',
    episode,
    ...(paused.length === 0 || covered ? {} : { detail: stay }),
  });
  if (covered) resumeAll(turn, paused);
}

/** N5: resumes the clusters that stayed paused after a restoration as soon as the balance covers it. */
export function resumeIfCovered(turn: Turn): void {
  const paused = pausedInOrder(turn);
  if (paused.length > 0 && covers(turn, paused)) resumeAll(turn, paused);
}

function resumeAll(turn: Turn, paused: readonly ClusterState[]): void {
  const episode = turn.account.episodes;
  for (const cluster of paused) meet(turn, cluster, { occasion: 'covered', episode });
}

function pausedInOrder(turn: Turn): readonly ClusterState[] {
  return [...pausedClusters(turn.account.clusters.values())].sort((left, right) => compareText(left.id, right.id));
}

function covers(turn: Turn, paused: readonly ClusterState[]): boolean {
  const { account, rules } = turn;
  return rules.coversResumption(account.balanceNanos, burnedByPaused(paused), account.policy.resumeRunwayMs);
}
