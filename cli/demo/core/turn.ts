import type { Level } from '../../../services/shared/contracts/balance-update.ts';
import type { Nanos } from '../../../services/shared/money.ts';
import type { Instant } from '../../../services/shared/time.ts';
import type { Persona } from './personas.ts';
import type { World } from './world.ts';

/** What customers see of their accounts. */
export interface AccountGlance {
  readonly balanceNanos: Nanos;
  readonly level: Level;
}

/** One customer's part of a step. */
export interface Turn {
  readonly world: World;
  readonly persona: Persona;
  readonly at: Instant;
  /** Of the step before: up to here the balance knows what was used. */
  readonly lastAt: Instant;
  /** Undefined before the account was opened. */
  readonly glance: AccountGlance | undefined;
  readonly emit: (source: string, id: string, type: string, data: object) => void;
}
