import { assertNever } from '../../../services/shared/assert-never.ts';
import { formatInstant, type Instant } from '../../../services/shared/time.ts';
import type { Order } from './orders.ts';
import type { VolumePlan } from './personas.ts';
import { REBIRTH_MS, reportEveryMs, SILENCE_MS } from './rhythm.ts';
import type { CustomerState, VolumeState } from './state.ts';
import type { Turn } from './turn.ts';
import type { World } from './world.ts';

const GROWTH_PARTS = 1000;

export function volumeId(plan: VolumePlan, volume: VolumeState): string {
  return `${plan.name}-${volume.generation}`;
}

/** How large a volume is: it grows by a thousandth of what it was at first, every so often. */
export function sizeGib(world: World, plan: VolumePlan, at: Instant): number {
  if (plan.growsEveryMs === undefined) return plan.sizeGib;
  return plan.sizeGib + Math.floor((at - world.beganAt) / plan.growsEveryMs) * Math.ceil(plan.sizeGib / GROWTH_PARTS);
}

/** A sample of a volume, if it is time for one. */
export function reportVolume(turn: Turn, plan: VolumePlan, volume: VolumeState, atOnce = false): VolumeState {
  const { at, world } = turn;
  if (volume.status === 'absent' || at <= volume.reportedUntil) return volume;
  const start = volume.reportedUntil;
  const id = volumeId(plan, volume);
  if (at - start > SILENCE_MS) return { ...volume, reportedUntil: at };
  if (!atOnce && at - start < reportEveryMs(world, id)) return volume;
  turn.emit(`demo/agent/${id}`, `${id}.${start}`, 'usage.storage', {
    volume_id: id,
    size_gib: sizeGib(world, plan, start),
    start: formatInstant(start),
    end: formatInstant(at),
  });
  return { ...volume, reportedUntil: at };
}

/** K: carries out an order to a volume, once. */
export function obeyVolume(turn: Turn, plan: VolumePlan, found: VolumeState, order: Order): VolumeState {
  if (order.resourceId !== volumeId(plan, found) || order.sequence <= found.sequence) return found;
  const volume = { ...found, sequence: order.sequence };
  if (volume.status === 'absent') return volume;
  const { at, emit } = turn;
  switch (order.command) {
    case 'revoke':
      return { ...volume, status: 'revoked', since: at };
    case 'restore':
      return { ...volume, status: 'attached', since: at };
    case 'decommission': {
      const id = volumeId(plan, volume);
      const reported = reportVolume(turn, plan, volume, true);
      emit('demo/control-plane', `${id}.decommissioned`, 'volume.decommissioned', { volume_id: id });
      return { ...reported, status: 'absent', since: at };
    }
    case 'pause':
    case 'resume':
      throw new Error(`K: a volume is not told to ${order.command}: ${order.resourceId}`);
    default:
      return assertNever(order.command);
  }
}

/** Creates a volume that is not there: at first, and again once its account is in good standing. */
export function startVolume(turn: Turn, plan: VolumePlan, found: VolumeState, state: CustomerState): VolumeState {
  if (found.status !== 'absent') return found;
  const { at, emit } = turn;
  if (found.generation > 0 && (state.exhaustedAt !== null || at - found.since < REBIRTH_MS)) return found;
  const volume: VolumeState = {
    ...found,
    ...{ status: 'attached', generation: found.generation + 1, since: at, reportedUntil: at },
  };
  const id = volumeId(plan, volume);
  emit('demo/control-plane', `${id}.created`, 'volume.created', { volume_id: id });
  return volume;
}
