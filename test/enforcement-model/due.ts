import type { SubjectKind } from '../../services/shared/contracts/command.ts';
import type { Instant } from '../../services/shared/time.ts';

/** X: something that comes due by itself. At one instant: by kind and id as text, then by rank. */
export interface Due {
  readonly at: Instant;
  readonly kind: SubjectKind;
  readonly id: string;
  readonly rank: number;
  run(): void;
}

export function compareDue(left: Due, right: Due): number {
  if (left.at !== right.at) return left.at - right.at;
  if (left.kind !== right.kind) return left.kind < right.kind ? -1 : 1;
  if (left.id !== right.id) return left.id < right.id ? -1 : 1;
  return left.rank - right.rank;
}
