import type { AppendRecord, EventLog } from './port.ts';

/** Well below what one append takes (DEFAULT_LOG_BOUNDS): a character is at most three bytes of UTF-8. */
const PART_RECORDS_MAX = 20_000;
const PART_CHARS_MAX = 8_000_000;

/**
 * Appends any number of records, in as many appends as the log's bounds ask for, one after the other. What must not be torn
 * by a crash in between is given as one unit; a unit is small. Resolves once all are durable.
 */
export async function appendParts(
  log: Pick<EventLog, 'append'>,
  topic: string,
  partition: number,
  units: Iterable<readonly AppendRecord[]>,
): Promise<void> {
  let part: AppendRecord[] = [];
  let chars = 0;
  for (const unit of units) {
    let unitChars = 0;
    for (const { value } of unit) unitChars += value.length;
    if (part.length > 0 && (part.length + unit.length > PART_RECORDS_MAX || chars + unitChars > PART_CHARS_MAX)) {
      await log.append(topic, partition, part);
      part = [];
      chars = 0;
    }
    part.push(...unit);
    chars += unitChars;
  }
  if (part.length > 0) await log.append(topic, partition, part);
}
