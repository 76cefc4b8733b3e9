import type { Instant } from '../../../services/shared/time.ts';
import { customerStep } from './customer.ts';
import type { DemoEvent } from './events.ts';
import type { Order } from './orders.ts';
import type { Persona } from './personas.ts';
import { priceEvents } from './prices.ts';
import type { FleetState } from './state.ts';
import type { AccountGlance } from './turn.ts';
import type { World } from './world.ts';

export interface StepInput {
  /** Not before the last step. */
  readonly at: Instant;
  /** K: what came on the control topics since the last step; what came before does no harm. */
  readonly orders: readonly Order[];
  /** By account; one that is not there was not opened. */
  readonly glances: ReadonlyMap<string, AccountGlance>;
}

export interface FleetStep {
  readonly state: FleetState;
  /** To be sent in this order. */
  readonly events: readonly DemoEvent[];
}

/**
 * What the whole fleet does next: agents report what ran since the last step, machines obey their orders, customers look at
 * their balances and pay or do not. A pure function of its arguments, in history and in life.
 */
export function step(world: World, personas: readonly Persona[], state: FleetState, input: StepInput): FleetStep {
  const events: DemoEvent[] = [...priceEvents(world, state.at, input.at)];
  const accounts = personas.map((persona, index) => {
    const before = state.accounts[index];
    if (before === undefined) throw new Error(`the fleet's state has no ${persona.accountId}`);
    const { accountId } = persona;
    const turn = {
      world,
      persona,
      at: input.at,
      lastAt: state.at,
      glance: input.glances.get(accountId),
      emit: (source: string, id: string, type: string, data: object): void => {
        events.push({ source, id, type, subject: accountId, data });
      },
    };
    return customerStep(
      turn,
      before,
      input.orders.filter((order) => order.accountId === accountId),
    );
  });
  return { state: { at: input.at, accounts }, events };
}
