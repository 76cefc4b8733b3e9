import type { Instant } from '../../../services/shared/time.ts';
import { formatInstant } from '../../../services/shared/time.ts';

/** An event as the demo's agents, control plane and operators send it; whoever sends it adds the time. */
export interface DemoEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  /** The account; undefined for what concerns all. */
  readonly subject: string | undefined;
  readonly data: object;
}

/** A CloudEvent for the door. @param at its own time, which counts in an import only */
export function cloudEvent(event: DemoEvent, at: Instant): object {
  const { source, id, type, subject, data } = event;
  return {
    specversion: '1.0',
    id,
    source,
    type,
    ...(subject === undefined ? {} : { subject }),
    time: formatInstant(at),
    data,
  };
}
