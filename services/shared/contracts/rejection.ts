import type { RejectionReason } from './event.ts';

/** E4: an event that was not applied, kept whole. */
export interface Rejection {
  readonly accountId: string | undefined;
  readonly reason: RejectionReason;
  readonly detail: string;
}
