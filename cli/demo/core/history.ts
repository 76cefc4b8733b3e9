import { Enforcement } from '../../../services/enforcer/core/enforcement.ts';
import type { Effects } from '../../../services/rater/core/account.ts';
import { Partition } from '../../../services/rater/core/rate.ts';
import type { Command } from '../../../services/shared/contracts/command.ts';
import { parseEvent } from '../../../services/shared/contracts/parse-event.ts';
import type { Instant } from '../../../services/shared/time.ts';
import { cloudEvent } from './events.ts';
import { type Order, orderOf } from './orders.ts';
import { PERSONAS } from './personas.ts';
import { type FleetState, newFleet } from './state.ts';
import { step } from './step.ts';
import type { AccountGlance } from './turn.ts';
import type { World } from './world.ts';

/** What happened before the demo was started. */
export interface History {
  /** CloudEvents in the order of the log, each with its own time, none after the epoch. */
  readonly events: readonly object[];
  readonly state: FleetState;
}

/**
 * Lives the fleet through the given instants against the very cores that rate and enforce, so that it pays, is paused and
 * is resumed in history as it is in life. The same world gives the same events (L10).
 * @param steps ascending
 * @param onCommand sees what is issued
 * @throws Error if the rater would not apply an event: the fleet sends no such
 */
export function live(world: World, steps: Iterable<Instant>, onCommand?: (command: Command) => void): History {
  const rehearsal = new Rehearsal(onCommand ?? (() => undefined));
  const events: object[] = [];
  let state = newFleet(PERSONAS);
  for (const at of steps) {
    const next = step(world, PERSONAS, state, { at, orders: rehearsal.takeOrders(), glances: rehearsal.glances() });
    state = next.state;
    for (const event of next.events) {
      const value = cloudEvent(event, at);
      events.push(value);
      rehearsal.apply(value, at);
    }
    rehearsal.settle();
  }
  return { events, state };
}

/** Rater and enforcer without stores. */
class Rehearsal {
  readonly #partition = new Partition();
  readonly #enforcement = new Enforcement(0);
  readonly #emit: (command: Command) => void;
  readonly #effects: Effects;
  #orders: Order[] = [];

  constructor(onCommand: (command: Command) => void) {
    this.#emit = (command) => {
      onCommand(command);
      const order = orderOf(command);
      if (order !== undefined) this.#orders.push(order);
    };
    this.#effects = {
      line: () => undefined,
      entry: () => undefined,
      update: (update) => this.#enforcement.apply(update, this.#emit),
      reservationCharge: () => undefined,
      invoice: () => undefined,
    };
  }

  apply(value: object, at: Instant): void {
    const event = parseEvent(value, at);
    if ('reason' in event) throw new Error(`the demo made an event that is ${event.reason}: ${event.detail}`);
    const outcome = this.#partition.apply(event, this.#effects);
    if (outcome.kind === 'applied') return;
    const why = outcome.kind === 'rejected' ? `${outcome.reason}: ${outcome.detail}` : outcome.kind;
    throw new Error(`the demo made an event that is not applied: ${JSON.stringify(value)}: ${why}`);
  }

  /** Carries out what is due up to the clock. */
  settle(): void {
    this.#enforcement.apply(this.#partition.watermark(0, 0), this.#emit);
  }

  takeOrders(): readonly Order[] {
    const orders = this.#orders;
    this.#orders = [];
    return orders;
  }

  glances(): ReadonlyMap<string, AccountGlance> {
    const glances = new Map<string, AccountGlance>();
    for (const [id, { balanceNanos, totals }] of this.#partition.accounts) {
      glances.set(id, { balanceNanos, level: totals.level });
    }
    return glances;
  }
}
