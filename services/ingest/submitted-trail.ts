import { heard, type Trail } from '../shared/runtime/trail.ts';
import type { Submitted } from './submit.ts';

/** Tells of each event where it stands in the log, or why it was refused. What was sent is not told: it may hold anything. */
export function tellSubmitted(trail: Trail | undefined, submitted: readonly Submitted[]): void {
  const told = heard(trail);
  if (told === undefined) return;
  for (const event of submitted) {
    const ids = { event: `${event.source ?? ''}/${event.id ?? ''}`, account: event.account };
    if (event.kind === 'refused') told.debug({ ...ids, reason: event.reason }, 'event refused');
    else told.debug({ ...ids, ...event.position }, 'event taken');
  }
}
