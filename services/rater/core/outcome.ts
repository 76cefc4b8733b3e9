import type { Refusal, RejectionReason } from '../../shared/contracts/event.ts';

/** E4: what became of an event: the closed set of answers. */
export type Outcome =
  | { readonly kind: 'applied' }
  | { readonly kind: 'duplicate' }
  | ({ readonly kind: 'rejected' } & Refusal);

export const APPLIED: Outcome = Object.freeze({ kind: 'applied' });
export const DUPLICATE: Outcome = Object.freeze({ kind: 'duplicate' });

/** E4: a refusal with the first reason that holds, and what was wrong. */
export function rejected(reason: RejectionReason, detail: string): Outcome {
  return { kind: 'rejected', reason, detail };
}
