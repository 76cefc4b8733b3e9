import { assertNever } from '../../../services/shared/assert-never.ts';
import { formatAmount, type Nanos } from '../../../services/shared/money.ts';
import { DAY_MS, formatInstant, HOUR_MS, type Instant, SECOND_MS } from '../../../services/shared/time.ts';
import type { ClusterPlan, Pays, Persona } from './personas.ts';
import { costOf, gpuHourNanos, nanosOf, volumeHourNanos } from './prices.ts';
import type { CustomerState } from './state.ts';
import type { Turn } from './turn.ts';
import { sizeGib } from './volume.ts';
import type { World } from './world.ts';

const NANOS_PER_CENT = 10_000_000n;
/** By the week: topped up when less than four days are left, before a first alert (N2) would come. */
const REFILL_BELOW_MS = 4 * DAY_MS;
const REFILL_MS = 7 * DAY_MS;
/** Less than this is not worth a payment. */
const WORTH_MS = HOUR_MS;
/** A payment has to show in the balance before the next one is thought of. */
const SETTLES_MS = 30 * SECOND_MS;
/** A promotion is so much more than what will be used until it expires, so that something is left to expire. */
const PROMOTION_PERCENT = 110n;

/** The customer looks at its balance and pays, or does not. */
export function payUp(turn: Turn, state: CustomerState): CustomerState {
  const { at, glance, persona, world } = turn;
  if (state.grantedAt > 0 && at - state.grantedAt < SETTLES_MS) return state;
  const hourly = hourlyNanos(world, persona, state, at);
  const balance = glance?.balanceNanos ?? 0n;
  const until = paysUntil(turn, persona.pays, state, balance, hourly);
  if (until === undefined) return state;
  const from = turn.lastAt < 0 ? at : turn.lastAt;
  const amount = wholeCents(costOf(hourly, Math.max(0, until - from)) - balance);
  return amount <= 0n ? state : grant(turn, state, { amount, kind: 'paid', expiresAt: undefined });
}

/** Until when the customer pays now, as far as it knows what it will use; undefined: it does not. */
function paysUntil(turn: Turn, pays: Pays, state: CustomerState, balance: Nanos, hourly: Nanos): Instant | undefined {
  const { at, world } = turn;
  switch (pays.kind) {
    case 'steady':
      return refill(at, balance, hourly, Number.POSITIVE_INFINITY);
    case 'thin': {
      const from = world.epochAt + pays.from;
      if (at < from) return refill(at, balance, hourly, from + pays.aboveMs);
      return balance < costOf(hourly, pays.aboveMs) ? at + pays.addsMs : undefined;
    }
    case 'late': {
      const firstAt = world.epochAt + pays.firstAt;
      if (state.exhaustedAt !== null) return at - state.exhaustedAt >= pays.arrearsMs ? at + pays.lastsMs : undefined;
      return at < firstAt ? refill(at, balance, hourly, firstAt) : undefined;
    }
    default:
      return assertNever(pays);
  }
}

/** By the week, but no further than to `runsDryAt`, to the cent. */
function refill(at: Instant, balance: Nanos, hourly: Nanos, runsDryAt: Instant): Instant | undefined {
  if (balance >= costOf(hourly, REFILL_BELOW_MS)) return undefined;
  const until = runsDryAt - at <= REFILL_BELOW_MS + REFILL_MS ? runsDryAt : at + REFILL_MS;
  return costOf(hourly, Math.max(0, until - at)) - balance < costOf(hourly, WORTH_MS) ? undefined : until;
}

/** C3: promotional credit that expires is granted at first, and again when it has expired. */
export function promote(turn: Turn, state: CustomerState): CustomerState {
  const { persona, at, world } = turn;
  const { promotion } = persona;
  if (promotion === undefined || at < state.promotedUntil) return state;
  const firstExpiresAt = world.epochAt + promotion.firstExpiresAt;
  const expiresAt = state.promotedUntil === 0 ? firstExpiresAt : at + promotion.laterMs;
  const used = costOf(hourlyNanos(world, persona, state, at), expiresAt - at);
  const amount = wholeCents((used * PROMOTION_PERCENT) / 100n);
  return { ...grant(turn, state, { amount, kind: 'promotional', expiresAt }), promotedUntil: expiresAt };
}

export interface GrantPlan {
  readonly amount: Nanos;
  readonly kind: 'paid' | 'promotional';
  readonly expiresAt: Instant | undefined;
}

export function grant(turn: Turn, state: CustomerState, plan: GrantPlan): CustomerState {
  const { accountId } = turn.persona;
  const id = `${accountId}.g${state.grants + 1}`;
  turn.emit('demo/operator', id, 'credits.granted', {
    grant_id: id,
    amount: formatAmount(plan.amount),
    kind: plan.kind,
    ...(plan.expiresAt === undefined ? {} : { expires_at: formatInstant(plan.expiresAt) }),
  });
  return { ...state, grants: state.grants + 1, grantedAt: turn.at };
}

/** What all that a customer means to run costs, in nanos an hour: what is paid by reservation costs nothing more. */
function hourlyNanos(world: World, persona: Persona, state: CustomerState, at: Instant): Nanos {
  let hourly = 0n;
  for (const [index, plan] of persona.clusters.entries()) {
    const isExtra = plan.startsInArrearsMs !== undefined && state.clusters[index]?.status !== 'running';
    if (!isExtra) hourly += BigInt(paidGpus(plan)) * priceNanos(persona, plan.gpuType);
  }
  for (const plan of persona.volumes) hourly += volumeHourNanos(world, sizeGib(world, plan, at), at);
  return hourly;
}

function paidGpus(plan: ClusterPlan): number {
  return (plan.nodes + (plan.waveNodes ?? 0) - (plan.reserved?.nodes ?? 0)) * plan.gpusPerNode;
}

function priceNanos(persona: Persona, gpuType: string): Nanos {
  const price = persona.contract?.gpuHour[gpuType];
  return price === undefined ? gpuHourNanos(gpuType) : nanosOf(price);
}

/** Payments are made in whole cents. */
export function wholeCents(amount: Nanos): Nanos {
  return (amount / NANOS_PER_CENT) * NANOS_PER_CENT;
}
