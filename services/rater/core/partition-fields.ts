import type { Instant } from '../../shared/time.ts';
import { type FieldWrite, priceListValue } from './account-fields.ts';
import { restorePriceList } from './account-restore.ts';
import { Partition } from './rate.ts';

/** What a commit must write of a partition beside its accounts: the clock, and what was published to it. */
export function takePartitionWrites(partition: Partition): readonly FieldWrite[] {
  const writes: FieldWrite[] = [['clock', `${partition.clock}`]];
  for (const applied of partition.takeApplied()) writes.push([`i/${applied.key}`, applied.fingerprint]);
  for (const gpuType of partition.takeRepriced()) {
    const list = gpuType === undefined ? partition.book.gibMonth : (partition.book.gpuHour.get(gpuType) ?? []);
    writes.push([gpuType === undefined ? 's' : `p/${gpuType}`, JSON.stringify(priceListValue(list))]);
  }
  return writes;
}

/** Puts a partition together again from the fields that `takePartitionWrites` wrote; its accounts are put in as needed. */
export function restorePartition(fields: ReadonlyMap<string, string>): Partition {
  const partition = new Partition();
  for (const [field, text] of fields) {
    const name = field.slice(2);
    if (field === 'clock') partition.clock = clockOf(text);
    else if (field === 's') restorePriceList(partition.book.gibMonth, JSON.parse(text));
    else if (field.startsWith('p/')) partition.book.gpuHour.set(name, restorePriceList([], JSON.parse(text)));
    else if (field.startsWith('i/')) {
      partition.applied.set(name, { kind: 'applied', key: name, dirty: false, fingerprint: text });
    }
  }
  return partition;
}

function clockOf(text: string): Instant {
  const clock = Number(text);
  if (!Number.isInteger(clock)) throw new Error(`the stored clock is ${JSON.stringify(text)}`);
  return clock;
}
