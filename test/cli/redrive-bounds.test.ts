import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OffsetSet } from '../../cli/redrive/offset-set.ts';
import { redrive } from '../../cli/redrive/redrive.ts';
import { Tally } from '../../cli/redrive/tally.ts';
import type { LogReader } from '../../platform/log/port.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';
import { used } from './support/events.ts';

/** Topics as lists of values, which can be read only. */
function logOf(topics: ReadonlyMap<string, readonly string[]>): LogReader {
  const valuesOf = (topic: string) => topics.get(topic) ?? [];
  return {
    partitions: () => 1,
    startOffset: async () => 0,
    endOffset: async (topic) => valuesOf(topic).length,
    read: async (topic, _partition, from, { recordsMax }) =>
      valuesOf(topic)
        .slice(from, from + recordsMax)
        .map((text, index) => ({ offset: from + index, time: 0, key: '', value: Buffer.from(text) })),
    close: async () => undefined,
  };
}

/** What the rater keeps of an event that it rejected. */
function rejection(text: string, offset: number): string {
  const origin = { partition: 0, offset };
  return JSON.stringify({ reason: 'no_price', detail: '', origin, event: { encoding: 'json', text } });
}

/** A dry run over a log, of whose events those at some offsets were rejected, told in this order. */
async function dryRun(events: readonly string[], rejected: readonly number[], eventsMax: number) {
  const rejections = rejected.map((offset) => rejection(events[offset] ?? '', offset));
  const log = logOf(
    new Map([
      [TOPICS.events, events],
      [TOPICS.rejected, rejections],
    ]),
  );
  const sent: string[] = [];
  const tally = new Tally();
  const redriven = await redrive({
    access: { log, wire: JSON_WIRE, partitions: 1, processed: async () => undefined },
    ...{ door: undefined, doubtful: false, tally, eventsMax },
    selection: { reasons: undefined, account: undefined, names: undefined },
    interruption: () => new AbortController().signal,
    onEvent: ({ event }) => sent.push(event.name),
    onFate: () => undefined,
    progress: { read: () => undefined, sent: () => undefined },
  });
  return { ...redriven, sent, tally: tally.json(true) };
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
