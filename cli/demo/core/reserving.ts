import type { Nanos } from '../../../services/shared/money.ts';
import { formatInstant } from '../../../services/shared/time.ts';
import { grant } from './paying.ts';
import type { ClusterPlan, ReservationPlan } from './personas.ts';
import { costOf, nanosOf } from './prices.ts';
import type { CustomerState } from './state.ts';
import type { Turn } from './turn.ts';

const NANOS_PER_USD = 1_000_000_000n;

/** Pays for a reservation of a cluster that is about to be provisioned, and buys it. */
export function buyReservation(
  turn: Turn,
  plan: ClusterPlan,
  reserved: ReservationPlan,
  clusterId: string,
  state: CustomerState,
): CustomerState {
  const { at, world, emit } = turn;
  const gpus = reserved.nodes * plan.gpusPerNode;
  const isFirst = state.reservations === 0;
  const firstEndsAt = world.epochAt + (reserved.extended?.from ?? reserved.firstEndsAt);
  const endsAt = isFirst ? firstEndsAt : at + reserved.laterMs;
  const paid = payFor(turn, state, reserved, gpus, endsAt - at);
  const id = reservationId(turn, state.reservations + 1);
  emit('demo/operator', id, 'reservation.purchased', {
    reservation_id: id,
    cluster_id: clusterId,
    gpu_type: plan.gpuType,
    gpus,
    starts_at: formatInstant(at),
    ends_at: formatInstant(endsAt),
    price_per_gpu_hour: reserved.pricePerGpuHour,
    payment: reserved.payment,
  });
  return { ...paid, reservations: state.reservations + 1 };
}

/** Extends the first reservation where that is planned, when its time has come. */
export function extendReservations(turn: Turn, state: CustomerState): CustomerState {
  const { at, world, persona, emit } = turn;
  if (state.extended || state.reservations === 0) return state;
  for (const plan of persona.clusters) {
    const { reserved } = plan;
    if (reserved?.extended === undefined || at < world.epochAt + reserved.extended.at) continue;
    const endsAt = world.epochAt + reserved.firstEndsAt;
    const gpus = reserved.nodes * plan.gpusPerNode;
    const paid = payFor(turn, state, reserved, gpus, reserved.firstEndsAt - reserved.extended.from);
    const id = reservationId(turn, 1);
    const data = { reservation_id: id, ends_at: formatInstant(endsAt) };
    emit('demo/operator', `${id}.extended`, 'reservation.extended', data);
    return { ...paid, extended: true };
  }
  return state;
}

/** In whole dollars, rounded up: it has to cover the charge. */
function payFor(turn: Turn, state: CustomerState, reserved: ReservationPlan, gpus: number, durationMs: number) {
  const cost: Nanos = costOf(BigInt(gpus) * nanosOf(reserved.pricePerGpuHour), durationMs);
  const amount = ((cost + NANOS_PER_USD - 1n) / NANOS_PER_USD) * NANOS_PER_USD;
  return grant(turn, state, { amount, kind: 'paid', expiresAt: undefined });
}

function reservationId(turn: Turn, n: number): string {
  return `${turn.persona.accountId}.r${n}`;
}
