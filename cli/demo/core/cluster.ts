import { assertNever } from '../../../services/shared/assert-never.ts';
import { formatInstant, HOUR_MS, type Instant, MINUTE_MS } from '../../../services/shared/time.ts';
import type { Order } from './orders.ts';
import type { ClusterPlan } from './personas.ts';
import { buyReservation } from './reserving.ts';
import { REBIRTH_MS, reportEveryMs, SILENCE_MS } from './rhythm.ts';
import type { ClusterState, CustomerState } from './state.ts';
import type { Turn } from './turn.ts';
import type { World } from './world.ts';

const WAVE_MS = 10 * MINUTE_MS;

export function clusterId(plan: ClusterPlan, cluster: ClusterState): string {
  return `${plan.name}-${cluster.generation}`;
}

/** A running cluster's agent sends a sample of each node, if it is time to; a paused one's says nothing. */
export function reportCluster(turn: Turn, plan: ClusterPlan, cluster: ClusterState, atOnce = false): ClusterState {
  const { at, world } = turn;
  if (cluster.status !== 'running' || at <= cluster.reportedUntil) return cluster;
  const start = cluster.reportedUntil;
  const id = clusterId(plan, cluster);
  if (at - start > SILENCE_MS) return { ...cluster, reportedUntil: at };
  if (!atOnce && at - start < reportEveryMs(world, id)) return cluster;
  for (let node = 1; node <= nodesUp(world, plan, cluster, at); node += 1) {
    const nodeId = `${id}.n${node}`;
    turn.emit(`demo/agent/${id}`, `${nodeId}.${start}`, 'usage.gpu', {
      cluster_id: id,
      node_id: nodeId,
      gpu_type: plan.gpuType,
      gpus: plan.gpusPerNode,
      start: formatInstant(start),
      end: formatInstant(at),
    });
  }
  return { ...cluster, reportedUntil: at };
}

function nodesUp(world: World, plan: ClusterPlan, cluster: ClusterState, at: Instant): number {
  if (cluster.shrunk) return Math.min(plan.nodes, plan.reserved?.nodes ?? plan.nodes);
  return plan.nodes + (isUpperWave(world, at) ? (plan.waveNodes ?? 0) : 0);
}

/** By day in history, every other ten minutes in life. */
function isUpperWave(world: World, at: Instant): boolean {
  if (at >= world.epochAt) return Math.floor(at / WAVE_MS) % 2 === 0;
  const hour = Math.floor(at / HOUR_MS) % 24;
  return hour >= 8 && hour < 20;
}

/** K: carries out an order to a cluster, once; what is not its own, or not new, changes nothing. */
export function obeyCluster(turn: Turn, plan: ClusterPlan, found: ClusterState, order: Order): ClusterState {
  if (order.resourceId !== clusterId(plan, found) || order.sequence <= found.sequence) return found;
  const cluster = { ...found, sequence: order.sequence };
  if (cluster.status === 'absent') return cluster;
  const { at, emit } = turn;
  switch (order.command) {
    case 'pause':
      if (cluster.ignoredPauses < (plan.ignoredPauses ?? 0)) {
        return { ...cluster, ignoredPauses: cluster.ignoredPauses + 1 };
      }
      if (cluster.status === 'paused') return cluster;
      return { ...reportCluster(turn, plan, cluster, true), status: 'paused', since: at };
    case 'resume':
      if (cluster.status === 'running') return { ...cluster, ignoredPauses: 0 };
      return { ...cluster, status: 'running', since: at, reportedUntil: at, ignoredPauses: 0 };
    case 'decommission': {
      const reported = reportCluster(turn, plan, cluster, true);
      if (order.scope === 'burst') return { ...reported, shrunk: true };
      const id = clusterId(plan, cluster);
      emit('demo/control-plane', `${id}.decommissioned`, 'cluster.decommissioned', { cluster_id: id });
      return { ...reported, status: 'absent', since: at, shrunk: false, ignoredPauses: 0 };
    }
    case 'revoke':
    case 'restore':
      throw new Error(`K: a cluster is not told to ${order.command}: ${order.resourceId}`);
    default:
      return assertNever(order.command);
  }
}

/** Starts a cluster that is not there, if its customer would: with a reservation first, where it has one. */
export function startCluster(turn: Turn, plan: ClusterPlan, index: number, state: CustomerState): CustomerState {
  const found = state.clusters[index];
  if (found === undefined || found.status !== 'absent' || !wouldStart(turn.at, plan, found, state)) return state;
  const { at, emit } = turn;
  const cluster: ClusterState = {
    ...found,
    ...{ status: 'running', generation: found.generation + 1, since: at, reportedUntil: at, shrunk: false },
  };
  const id = clusterId(plan, cluster);
  const bought = plan.reserved === undefined ? state : buyReservation(turn, plan, plan.reserved, id, state);
  emit('demo/control-plane', `${id}.provisioned`, 'cluster.provisioned', { cluster_id: id });
  return { ...bought, clusters: bought.clusters.with(index, cluster) };
}

function wouldStart(at: Instant, plan: ClusterPlan, cluster: ClusterState, state: CustomerState): boolean {
  const { exhaustedAt } = state;
  if (plan.startsInArrearsMs !== undefined) {
    return exhaustedAt !== null && at - exhaustedAt >= plan.startsInArrearsMs && cluster.since < exhaustedAt;
  }
  if (cluster.generation === 0) return true;
  return exhaustedAt === null && at - cluster.since >= REBIRTH_MS;
}
