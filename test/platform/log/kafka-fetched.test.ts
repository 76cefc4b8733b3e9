import { describe, expect, it } from 'vitest';
import { encodeBatch, packRecords, stampBatch } from '../../../platform/kafka/record-batch.ts';
import { readFetched } from '../../../platform/log/kafka-fetched.ts';
import type { LogErrorCode, LogRecord } from '../../../platform/log/port.ts';

const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const NOTHING_ABORTED: readonly { producerId: bigint; firstOffset: number }[] = [];

describe('what a fetch brings', () => {
  it('batches that follow each other are read from within the first, and one that is cut waits', () => {
    const batches = Buffer.concat([batch(10, ['a', 'b', 'c']), batch(13, ['d']), batch(14, ['e']).subarray(0, 65)]);
    expect(read(batches, 11)).toEqual({ next: 14, values: ['11 b', '12 c', '13 d'] });
    expect(read(batches, 13)).toEqual({ next: 14, values: ['13 d'] });
  });

  it('an offset that is missing is a gap, before the first batch and between two', () => {
    expect(code(() => read(batch(10, ['a']), 9))).toBe('LogGap');
    expect(code(() => read(Buffer.concat([batch(10, ['a']), batch(12, ['b'])]), 10))).toBe('LogGap');
  });

  it('an offset that is missing within a batch is a gap: a topic that somebody compacts', () => {
    const compacted = batch(10, ['a', 'b']);
    compacted.writeInt32BE(2, 23); // the last of three, of which two are left
    expect(code(() => read(restamped(compacted), 10))).toBe('LogGap');
  });

  it('a first batch that is not whole is corrupt: no fetch would ever bring more of it', () => {
    expect(code(() => read(batch(10, ['a']).subarray(0, 65), 10))).toBe('LogCorrupt');
  });

  it('transactions of other producers: control batches are passed over, and what was taken back is never read', () => {
    const batches = Buffer.concat([
      batch(0, ['kept'], { producerId: 1n, attributes: TRANSACTIONAL }),
      batch(1, ['gone', 'gone'], { producerId: 2n, attributes: TRANSACTIONAL }),
      batch(3, ['plain'], { producerId: 2n }),
      control(4, 2n, 0),
      control(5, 1n, 1),
      batch(6, ['again'], { producerId: 2n, attributes: TRANSACTIONAL }),
      control(7, 2n, 1),
    ]);
    const aborted = [{ producerId: 2n, firstOffset: 1 }];
    expect(read(batches, 0, aborted)).toEqual({ next: 8, values: ['0 kept', '3 plain', '6 again'] });
  });
});

function read(batches: Buffer, from: number, aborted = NOTHING_ABORTED) {
  const records: LogRecord[] = [];
  const next = readFetched('events/0', { startOffset: 0, endOffset: 100, aborted, batches }, from, records);
  return { next, values: records.map((record) => `${record.offset} ${record.value.toString()}`) };
}

interface Kind {
  readonly producerId?: bigint;
  readonly attributes?: number;
}

function batch(
  firstOffset: number,
  values: readonly string[],
  { producerId = -1n, attributes = 0 }: Kind = {},
): Buffer {
  const records = values.map((value) => ({ key: 'k', value }));
  const bytes = encodeBatch([packRecords(records, false)], { producerId, epoch: 0, sequence: 0 });
  bytes.writeBigInt64BE(BigInt(firstOffset), 0);
  bytes.writeInt16BE(attributes, 21);
  return restamped(bytes);
}

/** A control record: its key is `version (2) | type (2)`. */
function control(firstOffset: number, producerId: bigint, type: number): Buffer {
  const key = Buffer.from([0, 0, 0, type]).toString('latin1');
  const bytes = encodeBatch([packRecords([{ key, value: '' }], false)], { producerId, epoch: 0, sequence: 0 });
  bytes.writeBigInt64BE(BigInt(firstOffset), 0);
  bytes.writeInt16BE(TRANSACTIONAL | CONTROL, 21);
  return restamped(bytes);
}

function restamped(bytes: Buffer): Buffer {
  const stamp = { producerId: bytes.readBigInt64BE(43), epoch: 0, sequence: 0 };
  return stampBatch(bytes, stamp);
}

function code(action: () => unknown): LogErrorCode | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return error.code as LogErrorCode;
    throw error;
  }
  return undefined;
}
