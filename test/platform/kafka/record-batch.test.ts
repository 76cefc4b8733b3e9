import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../platform/kafka/crc32c.ts';
import {
  BATCH_HEADER_BYTES,
  BatchCorrupt,
  encodeBatch,
  packRecords,
  RECORD_OVERHEAD_BYTES_MAX,
  readBatch,
  readRecords,
  type StoredRecord,
  stampBatch,
} from '../../../platform/kafka/record-batch.ts';
import { VarintReader, varintBytes, writeVarint } from '../../../platform/kafka/varint.ts';

const STAMP = { producerId: 7n, epoch: 3, sequence: 11 };
const TIME = fc.oneof(fc.nat(), fc.nat({ max: 9_000_000_000_000 }), fc.constant(Number.MAX_SAFE_INTEGER));
const RECORD = fc.record({
  key: fc.string({ unit: 'grapheme', maxLength: 200 }),
  value: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.uint8Array({ maxLength: 300 })),
  time: TIME,
});
const APPENDS = fc.array(fc.array(RECORD, { minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 5 });

describe('record batches', () => {
  it('the checksum is that of the standard, whatever the length and where the bytes stand', () => {
    expect(crc32c(Buffer.from('123456789'), 0, 9)).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32), 0, 32)).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff), 0, 32)).toBe(0x62a8ab43);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat({ max: 9 }), (bytes, before) => {
        const shifted = Buffer.concat([Buffer.alloc(before, 1), bytes, Buffer.alloc(3, 2)]);
        expect(crc32c(shifted, before, before + bytes.length)).toBe(slowCrc32c(bytes));
      }),
    );
  });

  it('integers come back whole, on either side of each length', () => {
    const edges = [0, 1, 63, 64, 8191, 8192, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 48, Number.MAX_SAFE_INTEGER];
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...edges), fc.nat(), fc.maxSafeNat()), (value) => {
        const bytes = Buffer.alloc(10);
        const end = writeVarint(bytes, 0, value);
        expect(end).toBe(varintBytes(value));
        const reader = new VarintReader(bytes.subarray(0, end));
        expect([reader.next(), reader.at]).toEqual([value, end]);
      }),
    );
    expect(new VarintReader(Buffer.from([1])).next()).toBe(-1);
    expect(() => new VarintReader(Buffer.from([0x80])).next()).toThrow(RangeError);
    expect(() => new VarintReader(Buffer.alloc(11, 0x80)).next()).toThrow(RangeError);
  });

  it('what is written is read, from any offset, with the times that were given', () => {
    fc.assert(
      fc.property(APPENDS, fc.nat({ max: 50 }), (appends, from) => {
        const bytes = encodeBatch(
          appends.map((records) => packRecords(records, true)),
          STAMP,
        );
        const records = appends.flat();
        const expected = records.map(({ key, value, time }, offset) => ({
          offset,
          time,
          key,
          value: Buffer.from(value),
        }));
        expect(decode(bytes, from)).toEqual(expected.slice(from));
        const content = records.reduce(
          (sum, { key, value }) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
          0,
        );
        expect(bytes.length).toBeLessThanOrEqual(
          BATCH_HEADER_BYTES + content + records.length * RECORD_OVERHEAD_BYTES_MAX,
        );
      }),
    );
  });

  it('a changed bit is found, and a batch that is cut is left for the next fetch', () => {
    const whole = encodeBatch(
      [
        packRecords(
          [
            { key: 'key', value: 'value' },
            { key: '', value: '' },
          ],
          false,
        ),
      ],
      STAMP,
    );
    for (let cut = 0; cut < whole.length; cut += 1) expect(readBatch(whole.subarray(0, cut), 0)).toBeUndefined();
    for (let at = 17; at < whole.length; at += 1) {
      const broken = Buffer.from(whole);
      broken[at] = (broken[at] ?? 0) ^ 0x10;
      expect(() => readBatch(broken, 0), `byte ${at}`).toThrow(BatchCorrupt);
    }
  });

  it('records that lie about their lengths are named as corrupt, even under a good checksum', () => {
    fc.assert(
      fc.property(fc.nat({ max: 40 }), fc.nat({ max: 255 }), (at, byte) => {
        const bytes = encodeBatch(
          [
            packRecords(
              [
                { key: 'key', value: 'value' },
                { key: 'k', value: 'v' },
              ],
              false,
            ),
          ],
          STAMP,
        );
        const place = BATCH_HEADER_BYTES + (at % (bytes.length - BATCH_HEADER_BYTES));
        bytes[place] = byte;
        stampBatch(bytes, STAMP);
        try {
          decode(bytes, 0);
        } catch (error) {
          expect(error).toBeInstanceOf(BatchCorrupt);
        }
      }),
    );
  });

  it('a batch that another client compressed by gzip is read; any other codec is named', () => {
    const plain = encodeBatch([packRecords([{ key: 'a', value: 'b'.repeat(1000) }], false)], STAMP);
    const body = gzipSync(plain.subarray(BATCH_HEADER_BYTES));
    const compressed = (codec: number) => {
      const bytes = Buffer.concat([plain.subarray(0, BATCH_HEADER_BYTES), body]);
      bytes.writeInt32BE(bytes.length - 12, 8);
      bytes.writeInt16BE(codec, 21);
      return stampBatch(bytes, STAMP);
    };
    expect(decode(compressed(1), 0)).toEqual(decode(plain, 0));
    expect(() => decode(compressed(4), 0)).toThrow(/codec 4/);
  });

  it('an append costs the same for each record, however many it has', () => {
    const sizes = [1_000, 20_000].map((count) => {
      const records = Array.from({ length: count }, () => ({ key: 'account', value: 'x'.repeat(120) }));
      return encodeBatch([packRecords(records, false)], STAMP).length / count;
    });
    expect(Math.abs((sizes[0] ?? 0) - (sizes[1] ?? 0))).toBeLessThan(2);
  });
});

function decode(bytes: Buffer, from: number): StoredRecord[] {
  const batch = readBatch(bytes, 0);
  if (batch === undefined) throw new Error('the batch is cut');
  const records: StoredRecord[] = [];
  readRecords(bytes, 0, batch, from, records);
  return records;
}

/** The definition, a bit at a time. */
function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}
