import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OffsetSet } from '../../cli/redrive/offset-set.ts';
import { redrive } from '../../cli/redrive/redrive.ts';
import type { Selection } from '../../cli/redrive/selection.ts';
import { Tally } from '../../cli/redrive/tally.ts';
import type { LogReader } from '../../platform/log/port.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';
import { priced, used } from './support/events.ts';

/** One partition: its events, the offsets of those that were rejected, as they were told, and what the door refused. */
interface Partition {
  readonly events: readonly string[];
  readonly rejected: readonly number[];
  readonly refused?: readonly string[];
}

/** Partitions as lists of values, which can be read only. */
function logOf(partitions: readonly Partition[], onRead: (topic: string, partition: number) => void): LogReader {
  const valuesOf = (topic: string, partition: number): readonly string[] => {
    const { events = [], rejected = [], refused = [] } = partitions[partition] ?? {};
    if (topic === TOPICS.events) return events;
    const rejections = rejected.map((offset) => rejection(events[offset] ?? '', { partition, offset }));
    return [...rejections, ...refused.map((text) => rejection(text, { sent_by: 'agent' }))];
  };
  return {
    partitions: () => partitions.length,
    startOffset: async () => 0,
    endOffset: async (topic, partition) => valuesOf(topic, partition).length,
    read: async (topic, partition, from, { recordsMax }) => {
      onRead(topic, partition);
      return valuesOf(topic, partition)
        .slice(from, from + recordsMax)
        .map((text, index) => ({ offset: from + index, time: 0, key: '', value: Buffer.from(text) }));
    },
    close: async () => undefined,
  };
}

/** What is kept of an event that was rejected. */
function rejection(text: string, origin: object): string {
  return JSON.stringify({ reason: 'no_price', detail: '', origin, event: { encoding: 'json', text } });
}

/** A dry run over a log of one partition, of whose events those at some offsets were rejected, told in this order. */
function dryRun(events: readonly string[], rejected: readonly number[], eventsMax: number) {
  return dryRunOver([{ events, rejected }], { eventsMax });
}

/** What a dry run would do, the partitions that it waits for, and those of the log that it reads. */
async function dryRunOver(
  partitions: readonly Partition[],
  { eventsMax = 100, ...selection }: { readonly eventsMax?: number } & Partial<Selection> = {},
) {
  const sent: string[] = [];
  const waited: [partition: number, offset: number][] = [];
  const read = new Set<number>();
  const log = logOf(partitions, (topic, partition) => topic === TOPICS.events && read.add(partition));
  const tally = new Tally();
  const redriven = await redrive({
    access: {
      ...{ log, wire: JSON_WIRE, partitions: partitions.length },
      processed: async (partition, offset) => void waited.push([partition, offset]),
    },
    ...{ door: undefined, doubtful: false, tally, eventsMax },
    selection: { reasons: undefined, account: undefined, names: undefined, ...selection },
    interruption: () => new AbortController().signal,
    onEvent: ({ event }, choice) => choice === 'send' && sent.push(event.name),
    onFate: () => undefined,
    progress: { read: () => undefined, sent: () => undefined },
  });
  return { ...redriven, sent, waited, read: [...read].sort(), tally: tally.json(true) };
}

const samples = Array.from({ length: 10 }, (_, index) => used(index, 'acme', 'n'));
const name = (index: number) => `ops/n:${index}`;

describe('E4: a redrive looks at so many different events together', () => {
  test('what was applied since does not count, however many there are', async () => {
    const events = [...samples, ...samples.slice(0, 7)];
    const found = await dryRun(events, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 4);
    expect(found).toMatchObject({ complete: true, sent: [name(7), name(8), name(9)] });
    expect(found.tally).toMatchObject({ would_send: 3, skipped: { applied_since: 7 } });
  });

  test('what is left beyond them is said to be left', async () => {
    const found = await dryRun(samples, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 4);
    expect(found).toMatchObject({ complete: false, sent: [name(0), name(1), name(2), name(3)] });
    expect(await dryRun(samples, [0, 1, 2], 4)).toMatchObject({ complete: true });
  });

  test('an event counts once, however often it was rejected, and however often that was written', async () => {
    const events = [...samples.slice(0, 3), ...samples.slice(0, 3)];
    const found = await dryRun(events, [0, 1, 2, 0, 1, 2, 3, 4, 5], 8);
    expect(found).toMatchObject({ complete: true, sent: [name(0), name(1), name(2)] });
    expect(found.tally).toMatchObject({ found: 3 });
  });

  test('an event that was applied, and rejected as too late when it came again, is left alone', async () => {
    const found = await dryRun([...samples, samples[4] ?? ''], [10], 8);
    expect(found).toMatchObject({ sent: [], tally: { found: 1, skipped: { applied_since: 1 } } });
  });
});

describe('E4, E1: a redrive of several partitions', () => {
  // By the fixed partitioner acme is of partition 0 of two, globex of 1.
  const one = (minute: number) => used(minute, 'globex', 'one');
  const zero = (minute: number) => used(minute, 'acme', 'zero');

  test('waits for all of them, and sends what was rejected in any', async () => {
    const found = await dryRunOver([
      { events: [zero(0), zero(1)], rejected: [0] },
      { events: [one(0), one(1), one(2)], rejected: [0, 2] },
    ]);
    expect(found).toMatchObject({
      ...{ complete: true, sent: ['ops/zero:0', 'ops/one:0', 'ops/one:2'] },
      ...{
        waited: [
          [0, 2],
          [1, 3],
        ],
        tally: { found: 3 },
      },
    });
  });

  test('an offset that was rejected in one says nothing of the same offset in another', async () => {
    const found = await dryRunOver([
      { events: [zero(0), zero(1), zero(0)], rejected: [0] },
      { events: [one(0), one(1), one(0)], rejected: [0, 2] },
    ]);
    expect(found).toMatchObject({ sent: ['ops/one:0'], tally: { found: 2, skipped: { applied_since: 1 } } });
  });

  test('what the door refused is kept where its account may not be, and looked for where it is', async () => {
    const partitions = [
      { events: [zero(0)], rejected: [], refused: [one(0), one(1)] },
      { events: [one(1)], rejected: [] },
    ];
    expect(await dryRunOver(partitions)).toMatchObject({ sent: ['ops/one:0'], read: [1] });
  });

  test('reads only the log of those whose events are meant', async () => {
    const partitions = [
      { events: [zero(0)], rejected: [0] },
      { events: [one(0)], rejected: [0] },
    ];
    expect(await dryRunOver(partitions, { account: 'globex' })).toMatchObject({ sent: ['ops/one:0'], read: [1] });
  });

  test('prices are looked for where they are judged, not where they are forwarded to', async () => {
    const names = new Set(['ops/prices-H100']);
    const forwarded = `{"forwarded":true,${priced(0).slice(1)}`;
    const rejected = { events: [priced(0)], rejected: [0] };
    const elsewhere = { events: [forwarded], rejected: [] };
    expect(await dryRunOver([rejected, elsewhere], { names })).toMatchObject({ sent: ['ops/prices-H100'], read: [0] });
    const again = { events: [priced(0), priced(0)], rejected: [0] };
    expect(await dryRunOver([again, elsewhere], { names })).toMatchObject({ sent: [], read: [0] });
  });

  test('the bound is of all of them together', async () => {
    const partitions = [
      { events: [zero(0), zero(1)], rejected: [0, 1] },
      { events: [one(0), one(1), one(2)], rejected: [0, 1, 2] },
    ];
    const found = await dryRunOver(partitions, { eventsMax: 4 });
    expect(found).toMatchObject({ complete: false, sent: ['ops/zero:0', 'ops/zero:1', 'ops/one:0', 'ops/one:1'] });
  });
});

test('an offset set holds what was put into it, and nothing else', () => {
  const offset = fc.oneof(fc.nat(200_000), fc.maxSafeNat());
  fc.assert(
    fc.property(fc.array(offset), fc.array(offset), (put, asked) => {
      const set = new OffsetSet();
      for (const one of put) set.add(one);
      for (const one of [...put, ...asked, ...put.map((at) => at + 1)]) expect(set.has(one)).toBe(put.includes(one));
    }),
    { seed: 7 },
  );
});
