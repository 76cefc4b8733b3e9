import { isStateError, type StateReader } from '../../platform/state/port.ts';
import { CommandFailed } from '../failure.ts';

/** How far a partition has come, as the checkpoints tell it, whoever wrote them. */
export interface Processed {
  /** All events before it are rated, and their rows in the warehouse. */
  readonly rated: number;
  /** What all events before it brought about is enforced. */
  readonly enforced: number;
  /** Commands that are decided, and neither known to be published nor in the warehouse yet. */
  readonly unpublished: number;
}

/** Reads how far a partition has come. */
export async function processedIn(state: StateReader, partition: number): Promise<Processed> {
  const rater = await state.peek(`rater/${partition}`, []);
  const { hashes } = await state.peek(`enforcer/${partition}`, ['partition', 'outbox']);
  return {
    rated: rater.checkpoint?.nextOffset ?? 0,
    enforced: Number(hashes.get('partition')?.get('events') ?? 0),
    unpublished: hashes.get('outbox')?.size ?? 0,
  };
}

/** Effects first, checkpoint last: what stands before the checkpoints is in the warehouse, once the outbox is empty. */
export function isProcessed({ rated, enforced, unpublished }: Processed, offset: number): boolean {
  return rated >= offset && enforced >= offset && unpublished === 0;
}

export interface ProcessedWait {
  readonly state: StateReader;
  readonly partition: number;
  readonly offset: number;
  /** Between two looks. */
  readonly pause: () => Promise<void>;
  /** So many looks in a row may show nothing new. */
  readonly quietLooksMax: number;
  /** Told up to where it is, at most `offset`. */
  readonly progress: (done: number) => void;
}

/**
 * Looks at the checkpoints until all before an offset is processed by services that run elsewhere. A store that cannot be
 * reached for a while is one that shows nothing new.
 * @throws CommandFailed if nothing moves any more, StateError
 */
export async function untilProcessed(wait: ProcessedWait): Promise<void> {
  const { state, partition, offset, pause, quietLooksMax, progress } = wait;
  let before = '';
  for (let quiet = 0; ; quiet += 1) {
    let found: Processed | undefined;
    try {
      found = await processedIn(state, partition);
    } catch (fault) {
      if (!isStateError(fault, 'StateUnavailable') || quiet >= quietLooksMax) throw fault;
    }
    if (found !== undefined) {
      if (isProcessed(found, offset)) return;
      progress(Math.min(found.rated, found.enforced, offset));
      const now = JSON.stringify(found);
      if (now !== before) quiet = 0;
      before = now;
      if (quiet >= quietLooksMax) throw new CommandFailed(stalledText(partition, offset, found));
    }
    await pause();
  }
}

function stalledText(partition: number, offset: number, { rated, enforced, unpublished }: Processed): string {
  const [who, how] =
    rated < offset
      ? ['a rater', `its rater has come to ${rated}`]
      : enforced < offset
        ? ['an enforcer', `its enforcer has come to ${enforced}`]
        : ['an enforcer', `its enforcer has not published ${unpublished} commands`];
  return (
    `partition ${partition} is not processed up to ${offset}: ${how}, and nothing moves any more; ` +
    `see that ${who} runs, and what its log says of the partition`
  );
}
