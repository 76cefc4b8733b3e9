import { isContradiction } from '../shared/runtime/contradictions.ts';
import { AccountNotLoaded, EndlessDue, TimeWentBack, UnreadableState, UpdateGap } from './core/errors.ts';
import { EnforcerStopped } from './enforcer.ts';

const NEVER_HEALS = [AccountNotLoaded, EndlessDue, EnforcerStopped, TimeWentBack, UnreadableState, UpdateGap];

/** Whether the partition must stop until a person has looked: trying again cannot help. */
export function needsPerson(fault: unknown): boolean {
  if (NEVER_HEALS.some((kind) => fault instanceof kind)) return true;
  return isContradiction(fault) || (fault instanceof Error && fault.name === 'UpdateTorn');
}
