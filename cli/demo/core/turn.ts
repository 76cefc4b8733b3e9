import type { Instant } from '../../../services/shared/time.ts';
import type { Persona } from './personas.ts';
import type { AccountGlance } from './step.ts';
import type { World } from './world.ts';

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
