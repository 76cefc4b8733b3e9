import type { Effects } from '../../../services/rater/core/account.ts';
import { Partition } from '../../../services/rater/core/rate.ts';
import { parseEvent } from '../../../services/shared/contracts/parse-event.ts';
import { parseInstant } from '../../../services/shared/time.ts';
import type { History } from '../../histories/history.ts';
import type { Input } from './world.ts';

/** What the rater tells the enforcer of a log of events: its own balance updates, and the watermark at the end. */
export function ratedInputs(history: History): readonly Input[] {
  const partition = new Partition();
  const inputs: Input[] = [];
  const effects: Effects = {
    line: () => undefined,
    entry: () => undefined,
    invoice: () => undefined,
    reservationCharge: () => undefined,
    update: (update) => inputs.push(update),
  };
  for (const line of history.lines) {
    const event = readEvent(line);
    if (event !== undefined) partition.apply(event, effects);
  }
  const until = history.until === undefined ? partition.clock : (parseInstant(history.until) ?? partition.clock);
  partition.advance(Math.max(partition.clock, until), effects);
  inputs.push(partition.watermark(0, history.lines.length));
  return inputs;
}

function readEvent(line: string) {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const event = parseEvent(value, undefined);
  return 'reason' in event ? undefined : event;
}
