import { expect } from 'vitest';
import type { LogBounds } from '../../platform/log/bounds.ts';
import type { AppendRecord, EventLog, LogErrorCode, LogRecord, TopicSpec } from '../../platform/log/port.ts';
import { isLogError } from '../../platform/log/port.ts';
import { type ContractCase, CUT_AFTER_TURNS, type Disposable, promiseTurns } from './contract.ts';

export interface LogOpening {
  readonly topics: readonly TopicSpec[];
  readonly now: () => number;
  readonly bounds?: Partial<LogBounds>;
}

export interface LogHarness extends Disposable {
  /** Opens the log on this harness's storage, which outlives it. */
  open(opening: LogOpening): Promise<EventLog>;
  /** Ends the process that holds the log, as abruptly as the harness can; `open` is the restart. */
  cut(): Promise<void>;
}

/** `needs` names what not every log has: `clock` is one that the opener sets, `retyping` topics whose kind of time may change. */
export interface LogCase extends ContractCase<LogHarness> {
  readonly needs?: 'clock' | 'retyping';
}

const EVENTS: TopicSpec = { name: 'events', partitions: 3, time: 'append' };
const IMPORTS: TopicSpec = { name: 'imports', partitions: 1, time: 'event' };
const ALL = { recordsMax: 1_000_000, bytesMax: 1_000_000_000 };

/** What every log does, whatever it is made of. */
export const LOG_CONTRACT: readonly LogCase[] = [
  {
    title: 'offsets run from 0 without gaps, and what is read is what was appended',
    run: async (harness) => {
      const log = await open(harness);
      const values = ['plain', '', 'ünï¢ødé \u{1f600} \u0000', Buffer.from([0, 255, 128, 10])];
      for (const [index, value] of values.entries()) {
        const appended = await log.append('events', 1, [{ key: `k${index}`, value }]);
        expect(appended.firstOffset).toBe(index);
      }
      const records = await log.read('events', 1, 0, ALL);
      expect(records.map((record) => record.offset)).toEqual([0, 1, 2, 3]);
      expect(records.map((record) => record.key)).toEqual(['k0', 'k1', 'k2', 'k3']);
      expect(records.map((record) => record.value.equals(Buffer.from(values[record.offset] ?? 'none')))).toEqual(
        values.map(() => true),
      );
      expect(await log.endOffset('events', 1)).toBe(4);
      expect(await log.endOffset('events', 0)).toBe(0);
      expect(await log.read('events', 0, 0, ALL)).toEqual([]);
    },
  },
  {
    title: 'appending nothing says where the end is',
    run: async (harness) => {
      const log = await open(harness);
      await log.append('events', 0, batch(3));
      expect(await log.append('events', 0, [])).toEqual({ firstOffset: 3, times: [] });
      expect(await log.endOffset('events', 0)).toBe(3);
    },
  },
  {
    title: 'hostile keys and a lone surrogate travel as UTF-8',
    run: async (harness) => {
      const log = await open(harness);
      const keys = ['', '__proto__', 'a/b:c', '\u0000', '\ud800', 'x'.repeat(3000)];
      await log.append(
        'events',
        0,
        keys.map((key) => ({ key, value: key })),
      );
      const records = await log.read('events', 0, 0, ALL);
      expect(records.map((record) => record.key)).toEqual(keys.map((key) => Buffer.from(key).toString()));
      expect(records.map((record) => record.value.toString())).toEqual(keys.map((key) => Buffer.from(key).toString()));
    },
  },
  {
    title: 'bytes given to append may be used again at once',
    run: async (harness) => {
      const log = await open(harness);
      const value = Buffer.from('first');
      const records = [{ key: 'k', value }];
      const appending = log.append('events', 0, records);
      value.fill(0);
      records.push({ key: 'late', value });
      expect((await appending).times).toHaveLength(1);
      expect((await log.read('events', 0, 0, ALL)).map((record) => record.value.toString())).toEqual(['first']);
    },
  },
  {
    title: 'E2: the log stamps the time, and no stamp is below the one before, whatever its clock does',
    needs: 'clock',
    run: async (harness) => {
      let now = 5000;
      const log = await open(harness, { now: () => now });
      expect((await log.append('events', 0, [{ key: 'k', value: 'v', time: 1 }])).times).toEqual([5000]);
      now = 4000;
      expect((await log.append('events', 0, batch(2))).times).toEqual([5000, 5000]);
      expect((await log.append('events', 1, batch(1))).times).toEqual([4000]);
      now = 6000;
      await log.append('events', 0, batch(1));
      expect(times(await log.read('events', 0, 0, ALL))).toEqual([5000, 5000, 5000, 6000]);
      await log.close();
      await harness.cut();
      now = 10;
      const again = await open(harness, { now: () => now });
      expect((await again.append('events', 0, batch(1))).times).toEqual([6000]);
    },
  },
  {
    title: 'a topic of event time keeps the time that was given, also one that goes back',
    run: async (harness) => {
      const log = await open(harness);
      const records = [70, 30, 9_000_000_000_000].map((time) => ({ key: 'k', value: 'v', time }));
      expect((await log.append('imports', 0, records)).times).toEqual([70, 30, 9_000_000_000_000]);
      expect(times(await log.read('imports', 0, 0, ALL))).toEqual([70, 30, 9_000_000_000_000]);
      for (const time of [undefined, 1.5, -1, Number.NaN]) {
        const record = time === undefined ? { key: 'k', value: 'v' } : { key: 'k', value: 'v', time };
        await refused(log.append('imports', 0, [...records, record]), 'LogRecordInvalid');
      }
      expect(await log.endOffset('imports', 0)).toBe(3);
    },
  },
  {
    title: 'a topic that turns from event time to append time goes on from its greatest time',
    needs: 'retyping',
    run: async (harness) => {
      const log = await open(harness);
      await log.append(
        'imports',
        0,
        [900, 100].map((time) => ({ key: 'k', value: 'v', time })),
      );
      await log.close();
      await harness.cut();
      const again = await open(harness, { topics: [{ ...IMPORTS, time: 'append' }], now: () => 500 });
      expect((await again.append('imports', 0, batch(1))).times).toEqual([900]);
      expect(times(await again.read('imports', 0, 0, ALL))).toEqual([900, 100, 900]);
    },
  },
  {
    title: 'concurrent appends are each contiguous, in the order of the calls, and none is lost',
    run: async (harness) => {
      const log = await open(harness);
      const calls = Array.from({ length: 60 }, (_, call) =>
        log.append('events', call % 2, batch(1 + (call % 25), `c${call}-`)),
      );
      const appended = await Promise.all(calls);
      for (const partition of [0, 1]) {
        let next = 0;
        const records = await log.read('events', partition, 0, ALL);
        for (const [call, { firstOffset, times: stamped }] of appended.entries()) {
          if (call % 2 !== partition) continue;
          expect(firstOffset).toBe(next);
          const own = records.slice(firstOffset, firstOffset + stamped.length);
          expect(own.map((record) => record.value.toString())).toEqual(stamped.map((_, index) => `c${call}-${index}`));
          next += stamped.length;
        }
        expect(await log.endOffset('events', partition)).toBe(next);
      }
    },
  },
  {
    title: 'a batch of 20,000 records is one append',
    run: async (harness) => {
      const log = await open(harness);
      const { firstOffset, times: stamped } = await log.append('events', 2, batch(20_000, 'x'.repeat(200)));
      expect([firstOffset, stamped.length]).toEqual([0, 20_000]);
      const records = await readAll(log, 'events', 2, 7_001, 1_000_000_000);
      expect(records.map((record) => record.offset)).toEqual(Array.from({ length: 20_000 }, (_, offset) => offset));
      expect(records.at(-1)?.value.toString()).toBe(`${'x'.repeat(200)}19999`);
    },
  },
  {
    title: 'any limits of reading give every record once, from any offset',
    run: async (harness) => {
      const log = await open(harness);
      for (let call = 0; call < 7; call += 1) {
        const value = 'v'.repeat(call * 31);
        await log.append(
          'events',
          0,
          Array.from({ length: 1 + call * 3 }, (_, index) => ({ key: `${call}`, value: `${index}${value}` })),
        );
      }
      const whole = await log.read('events', 0, 0, ALL);
      expect(whole).toHaveLength(70);
      for (const [recordsMax, bytesMax] of [
        [1, 1e9],
        [3, 1e9],
        [1e9, 1],
        [1e9, 100],
        [17, 500],
      ] as const) {
        expect(flat(await readAll(log, 'events', 0, recordsMax, bytesMax))).toEqual(flat(whole));
      }
      for (let from = 0; from <= 70; from += 1) {
        expect(flat(await log.read('events', 0, from, ALL))).toEqual(flat(whole.slice(from)));
      }
    },
  },
  {
    title: 'a read gives at most what its limits say, and the first record whatever its size',
    run: async (harness) => {
      const log = await open(harness);
      await log.append(
        'events',
        0,
        Array.from({ length: 10 }, () => ({ key: 'key', value: 'x'.repeat(97) })),
      );
      expect(await log.read('events', 0, 0, { recordsMax: 4, bytesMax: 1e9 })).toHaveLength(4);
      expect(await log.read('events', 0, 0, { recordsMax: 100, bytesMax: 300 })).toHaveLength(3);
      expect(await log.read('events', 0, 0, { recordsMax: 100, bytesMax: 299 })).toHaveLength(2);
      expect(await log.read('events', 0, 9, { recordsMax: 100, bytesMax: 1 })).toHaveLength(1);
      await expect(log.read('events', 0, 0, { recordsMax: 0, bytesMax: 1 })).rejects.toThrow(RangeError);
    },
  },
  {
    title: 'an offset outside the partition is a named error',
    run: async (harness) => {
      const log = await open(harness);
      await log.append('events', 0, batch(5));
      expect(await log.read('events', 0, 5, ALL)).toEqual([]);
      await refused(log.read('events', 0, 6, ALL), 'LogOffsetBeyondEnd');
      await refused(log.read('events', 0, -1, ALL), 'LogOffsetTrimmed');
      await refused(log.read('events', 9, 0, ALL), 'LogUnknownPartition');
      await refused(log.read('nothing', 0, 0, ALL), 'LogUnknownPartition');
      await refused(log.append('events', 3, batch(1)), 'LogUnknownPartition');
      expect(log.partitions('events')).toBe(3);
      expect(() => log.partitions('nothing')).toThrow(/nothing/);
    },
  },
  {
    title: 'trimming moves the start, for ever, and nothing else',
    run: async (harness) => {
      const log = await open(harness);
      for (let call = 0; call < 10; call += 1) await log.append('events', 0, batch(10, `${call}-`));
      await log.append('events', 1, batch(3));
      await log.trimBefore('events', 0, 55);
      await log.trimBefore('events', 0, 20);
      expect([await log.startOffset('events', 0), await log.endOffset('events', 0)]).toEqual([55, 100]);
      await refused(log.read('events', 0, 54, ALL), 'LogOffsetTrimmed');
      await refused(log.trimBefore('events', 0, 101), 'LogOffsetBeyondEnd');
      expect((await log.read('events', 0, 55, ALL)).map((record) => record.value.toString()).slice(0, 6)).toEqual([
        '5-5',
        '5-6',
        '5-7',
        '5-8',
        '5-9',
        '6-0',
      ]);
      await log.close();
      await harness.cut();
      const again = await open(harness);
      expect([await again.startOffset('events', 0), await again.endOffset('events', 0)]).toEqual([55, 100]);
      await again.trimBefore('events', 0, 100);
      expect(await again.read('events', 0, 100, ALL)).toEqual([]);
      expect((await again.append('events', 0, batch(1))).firstOffset).toBe(100);
      expect(await again.read('events', 0, 100, ALL)).toHaveLength(1);
      expect(await again.startOffset('events', 1)).toBe(0);
    },
  },
  {
    title: 'appends while a partition is trimmed are neither lost nor moved',
    run: async (harness) => {
      const log = await open(harness);
      await log.append('events', 0, batch(50));
      const work = [
        log.append('events', 0, batch(5)),
        log.trimBefore('events', 0, 40),
        log.append('events', 0, batch(5)),
      ];
      await Promise.all(work);
      expect([await log.startOffset('events', 0), await log.endOffset('events', 0)]).toEqual([40, 60]);
      await log.close();
      await harness.cut();
      const again = await open(harness);
      expect([await again.startOffset('events', 0), await again.endOffset('events', 0)]).toEqual([40, 60]);
      expect(await again.read('events', 0, 40, ALL)).toHaveLength(20);
    },
  },
  {
    title: 'waiting ends when the record is there to be read, and not before',
    run: async (harness) => {
      const log = await open(harness);
      await log.append('events', 0, batch(2));
      expect(await log.waitFor('events', 0, 1)).toBe(true);
      const order: string[] = [];
      const waiting = log.waitFor('events', 0, 3).then(async (grown) => {
        order.push(`grown ${grown}, ${(await log.read('events', 0, 3, ALL)).length}`);
      });
      await log.append('events', 0, batch(1));
      await log.append('events', 1, batch(9));
      order.push('not yet');
      await log.append('events', 0, batch(1));
      await waiting;
      expect(order).toEqual(['not yet', 'grown true, 1']);
    },
  },
  {
    title: 'waiting ends with false on abort, and with LogClosed on close',
    run: async (harness) => {
      const log = await open(harness, { bounds: { waitersMax: 3 } });
      const controller = new AbortController();
      const aborted = log.waitFor('events', 0, 0, controller.signal);
      const second = log.waitFor('events', 0, 0, controller.signal);
      controller.abort();
      expect([await aborted, await second, await log.waitFor('events', 0, 0, controller.signal)]).toEqual([
        false,
        false,
        false,
      ]);
      const waits = [0, 1, 2].map((offset) => log.waitFor('events', 0, offset));
      const outcomes = Promise.allSettled(waits);
      await refused(log.waitFor('events', 0, 0), 'LogTooManyWaiters');
      await log.close();
      expect(
        (await outcomes).map((outcome) => outcome.status === 'rejected' && isLogError(outcome.reason, 'LogClosed')),
      ).toEqual([true, true, true]);
    },
  },
  {
    title: 'a full backlog refuses at once and by name, writes nothing of what it refused, and goes on',
    run: async (harness) => {
      const log = await open(harness, { bounds: { backlogRecordsMax: 30 } });
      const taken = [log.append('events', 0, batch(20, 'a')), log.append('events', 1, batch(10, 'b'))];
      await refused(log.append('events', 0, batch(1, 'refused')), 'LogBacklogFull');
      const other = log.append('imports', 0, [{ key: 'k', value: 'v', time: 1 }]);
      await Promise.all([...taken, other]);
      expect((await log.append('events', 0, batch(30, 'c'))).firstOffset).toBe(20);
      const small = await log.read('events', 0, 0, ALL);
      expect(small.filter((record) => record.value.toString().startsWith('refused'))).toEqual([]);
      expect(small).toHaveLength(50);
      expect((await log.append('events', 0, batch(31))).firstOffset).toBe(50);
    },
  },
  {
    title: 'a backlog is bounded in bytes too',
    run: async (harness) => {
      const log = await open(harness, { bounds: { backlogBytesMax: 1000 } });
      const first = log.append('events', 0, [{ key: '', value: 'x'.repeat(900) }]);
      const second = log.append('events', 0, [{ key: '', value: 'x'.repeat(100) }]);
      await refused(log.append('events', 0, [{ key: '', value: 'x' }]), 'LogBacklogFull');
      await Promise.all([first, second]);
      expect((await log.append('events', 0, batch(1))).firstOffset).toBe(2);
    },
  },
  {
    title: 'what can never fit is refused for good, whole',
    run: async (harness) => {
      const log = await open(harness, { bounds: { recordBytesMax: 100, batchRecordsMax: 10, batchBytesMax: 300 } });
      await refused(
        log.append('events', 0, [...batch(1), { key: '12345', value: 'x'.repeat(96) }]),
        'LogRecordTooLarge',
      );
      await refused(log.append('events', 0, batch(11)), 'LogBatchTooLarge');
      await refused(log.append('events', 0, batch(4, 'x'.repeat(80))), 'LogBatchTooLarge');
      expect(await log.endOffset('events', 0)).toBe(0);
      expect((await log.append('events', 0, [{ key: '12345', value: 'x'.repeat(95) }])).firstOffset).toBe(0);
    },
  },
  {
    title: 'what was acknowledged is there after the process was cut off',
    run: async (harness) => {
      const log = await open(harness);
      const held = await log.append('events', 0, batch(3, 'kept'));
      await harness.cut();
      const again = await open(harness);
      const records = await again.read('events', 0, held.firstOffset, ALL);
      expect(records.map((record) => record.value.toString())).toEqual(['kept0', 'kept1', 'kept2']);
      expect((await again.append('events', 0, batch(1))).firstOffset).toBe(3);
    },
  },
  {
    title: 'an append that was cut off is there whole or not at all',
    run: async (harness) => {
      for (const turns of CUT_AFTER_TURNS) {
        const log = await open(harness);
        const before = await log.endOffset('events', 0);
        const cutOff = log.append('events', 0, batch(500, 'cut')).catch(() => undefined);
        await promiseTurns(turns);
        await harness.cut();
        await cutOff;
        const again = await open(harness);
        const end = await again.endOffset('events', 0);
        expect([before, before + 500]).toContain(end);
        expect(await again.read('events', 0, before, ALL)).toHaveLength(end - before);
        await harness.cut();
      }
    },
  },
  {
    title: 'topics are fixed: other partitions are refused, a new topic is not',
    run: async (harness) => {
      const log = await open(harness);
      await log.append('events', 0, batch(1));
      await log.close();
      await harness.cut();
      const changed = { topics: [{ ...EVENTS, partitions: 4 }] };
      await expect(open(harness, changed)).rejects.toSatisfy((error) => isLogError(error, 'LogTopicChanged'));
      await harness.cut();
      const again = await open(harness, { topics: [EVENTS, { name: 'more', partitions: 2, time: 'append' }] });
      expect((await again.append('more', 1, batch(1))).firstOffset).toBe(0);
      expect(await again.endOffset('events', 0)).toBe(1);
      await harness.cut();
      for (const topic of [
        { name: 'a b', partitions: 1 },
        { name: '', partitions: 1 },
        { name: 'x', partitions: 0 },
      ]) {
        const opening = open(harness, { topics: [{ ...topic, time: 'append' }] });
        await expect(opening).rejects.toSatisfy((error) => isLogError(error, 'LogTopicInvalid'));
        await harness.cut();
      }
    },
  },
  {
    title: 'closing finishes what was begun and refuses the rest',
    run: async (harness) => {
      const log = await open(harness);
      const begun = log.append('events', 0, batch(100));
      await log.close();
      expect((await begun).firstOffset).toBe(0);
      await refused(log.append('events', 0, batch(1)), 'LogClosed');
      await refused(log.read('events', 0, 0, ALL), 'LogClosed');
      await refused(log.waitFor('events', 0, 0), 'LogClosed');
      await refused(log.endOffset('events', 0), 'LogClosed');
      await log.close();
    },
  },
];

async function open(harness: LogHarness, opening: Partial<LogOpening> = {}): Promise<EventLog> {
  return harness.open({ topics: [EVENTS, IMPORTS], now: () => 1000, ...opening });
}

function batch(count: number, prefix = 'v'): AppendRecord[] {
  return Array.from({ length: count }, (_, index) => ({ key: `key-${index % 7}`, value: `${prefix}${index}` }));
}

async function readAll(
  log: EventLog,
  topic: string,
  partition: number,
  recordsMax: number,
  bytesMax: number,
): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  const end = await log.endOffset(topic, partition);
  while (found.length < end) {
    const page = await log.read(topic, partition, found.length, { recordsMax, bytesMax });
    expect(page.length).toBeGreaterThan(0);
    found.push(...page);
  }
  return found;
}

function times(records: readonly LogRecord[]): number[] {
  return records.map((record) => record.time);
}

function flat(records: readonly LogRecord[]): string[] {
  return records.map((record) => `${record.offset} ${record.key} ${record.value.toString()}`);
}

async function refused(action: Promise<unknown>, code: LogErrorCode): Promise<void> {
  await expect(action).rejects.toSatisfy((error) => isLogError(error, code), code);
}
