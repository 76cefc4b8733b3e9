import { formatInstant } from '../../../services/shared/time.ts';
import { obeyCluster, reportCluster, startCluster } from './cluster.ts';
import type { Order } from './orders.ts';
import { payUp, promote } from './paying.ts';
import type { Persona } from './personas.ts';
import { extendReservations } from './reserving.ts';
import type { CustomerState } from './state.ts';
import type { Turn } from './turn.ts';
import { obeyVolume, reportVolume, startVolume } from './volume.ts';

/** C6: longer than from one sample to the next: by quarter hours in history, every few seconds in life. */
const COARSE_WINDOW = '20m';
const FINE_WINDOW = '2m';

/** One customer's step: what ran is reported before orders are obeyed, and what is owed is paid before anything starts. */
export function customerStep(turn: Turn, before: CustomerState, orders: readonly Order[]): CustomerState {
  const { persona } = turn;
  let state = before.opened ? before : open(turn, before);
  state = {
    ...state,
    clusters: map2(persona.clusters, state.clusters, (plan, cluster) => reportCluster(turn, plan, cluster)),
    volumes: map2(persona.volumes, state.volumes, (plan, volume) => reportVolume(turn, plan, volume)),
  };
  for (const order of orders) state = obey(turn, state, order);
  state = refine(turn, lookAtBalance(turn, state));
  state = extendReservations(turn, promote(turn, payUp(turn, state)));
  return startAll(turn, state);
}

function open(turn: Turn, state: CustomerState): CustomerState {
  const { persona, at, emit } = turn;
  const { accountId, name, contract } = persona;
  emit('demo/operator', `${accountId}.opened`, 'account.opened', { name, policy: policyWith(persona, COARSE_WINDOW) });
  if (contract !== undefined) {
    const data = { effective_from: formatInstant(at), gpu_hour: contract.gpuHour };
    emit('demo/operator', `${accountId}.contract`, 'contract.priced', data);
  }
  return { ...state, opened: true };
}

/** Once samples come by the minute, what falls silent is idle sooner. */
function refine(turn: Turn, state: CustomerState): CustomerState {
  const { persona, at, world, emit } = turn;
  if (state.fine || at < world.fineFrom) return state;
  const policy = policyWith(persona, FINE_WINDOW);
  emit('demo/operator', `${persona.accountId}.policy.fine`, 'policy.set', { policy });
  return { ...state, fine: true };
}

function policyWith(persona: Persona, activityWindow: string): object {
  return { ...persona.policy, activity_window: activityWindow };
}

function obey(turn: Turn, state: CustomerState, order: Order): CustomerState {
  const { clusters, volumes } = turn.persona;
  if (order.kind === 'cluster') {
    return {
      ...state,
      clusters: map2(clusters, state.clusters, (plan, found) => obeyCluster(turn, plan, found, order)),
    };
  }
  return { ...state, volumes: map2(volumes, state.volumes, (plan, found) => obeyVolume(turn, plan, found, order)) };
}

/** Who is in arrears knows since when; who is not has all of its machines back. */
function lookAtBalance({ glance, at }: Turn, state: CustomerState): CustomerState {
  if (glance?.level === 'exhausted') return { ...state, exhaustedAt: state.exhaustedAt ?? at };
  if (state.exhaustedAt === null) return state;
  return { ...state, exhaustedAt: null, clusters: state.clusters.map((cluster) => ({ ...cluster, shrunk: false })) };
}

function startAll(turn: Turn, before: CustomerState): CustomerState {
  let state = before;
  for (const [index, plan] of turn.persona.clusters.entries()) state = startCluster(turn, plan, index, state);
  return {
    ...state,
    volumes: map2(turn.persona.volumes, state.volumes, (plan, volume) => startVolume(turn, plan, volume, state)),
  };
}

/** Plans and what became of them stand in the same order. */
function map2<Plan, Found>(
  plans: readonly Plan[],
  found: readonly Found[],
  change: (plan: Plan, found: Found) => Found,
): readonly Found[] {
  return found.map((item, index) => {
    const plan = plans[index];
    if (plan === undefined) throw new Error(`the fleet's state has ${found.length} where ${plans.length} are planned`);
    return change(plan, item);
  });
}
