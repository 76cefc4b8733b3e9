import type { StateReader } from '../../../platform/state/port.ts';
import type { Instant } from '../../shared/time.ts';

/** How far a partition was rated and checkpointed: all before `nextOffset` is in the warehouse; the clock there, or -1. */
export interface Rated {
  readonly nextOffset: number;
  readonly clock: Instant;
}

/** How far the raters have come. */
export type RatedProgress = (partition: number) => Promise<Rated>;

/** As the checkpoints tell it, whoever wrote them. */
export function storedProgress(state: StateReader): RatedProgress {
  return async (partition) => {
    const { checkpoint, hashes } = await state.peek(`rater/${partition}`, ['partition']);
    const clock = Number(hashes.get('partition')?.get('clock') ?? -1);
    return { nextOffset: checkpoint?.nextOffset ?? 0, clock };
  };
}
