import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { MemoryLogDisk, openMemoryLog } from '../../platform/log/memory-log.ts';
import { MemoryStateDisk, openMemoryState } from '../../platform/state/memory-state.ts';
import { eventSink } from '../../services/ingest/backend/event-sink.ts';
import { SampleCarrier } from '../../services/ingest/telemetry.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { SAMPLES_TOPIC } from '../../services/shared/wire/avro-schemas.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';
import { WireError } from '../../services/shared/wire/wire-format.ts';

const AT = Date.UTC(2026, 4, 4, 10);
const LIMITS = { recordsMax: 1000, bytesMax: 1 << 20 };

/** A registry that may be out of reach, and values that stand for what they are called. */
class Samples {
  reachable = true;
  readonly wire = {
    learn: (_topic: string, values: readonly Buffer[]): Promise<void> | undefined => {
      if (!this.reachable) return Promise.reject(new WireError('RegistryUnavailable', 'away'));
      const poison = values.some((value) => value.toString().startsWith('schema'));
      return poison ? Promise.reject(new WireError('SchemaUnknown', 'schema 7')) : undefined;
    },
    readSample: (value: Buffer): unknown => {
      const text = value.toString();
      if (text.startsWith('schema')) throw new WireError('SchemaUnknown', 'schema 7');
      if (text.startsWith('{')) return JSON.parse(text);
      throw new WireError('RecordUndecodable', 'trailing bytes');
    },
  };
}

function usage(id: string, gpus: number): string {
  const data = { cluster_id: 'c', node_id: 'n', gpu_type: 'H100', gpus, start: AT, end: AT + 60_000 };
  return JSON.stringify({ specversion: '1.0', id, source: 'agent/1', type: 'usage.gpu', subject: 'acme', data });
}

/** What the tests look at of an event, or of a rejection. */
interface Written {
  readonly id: string;
  readonly reason: string;
  readonly origin: { readonly sent_by: string };
  readonly event: { readonly text: string };
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function door() {
  const disks = { samples: new MemoryLogDisk(), log: new MemoryLogDisk(), state: new MemoryStateDisk() };
  const names = Object.values(TOPICS);
  const log = openMemoryLog({
    topics: names.map((name) => ({ name, partitions: 1, time: 'append' })),
    ...{ now: () => AT, disk: disks.log },
  });
  const samples = openMemoryLog({
    topics: [{ name: SAMPLES_TOPIC, partitions: 1, time: 'append' }],
    ...{ now: () => AT, disk: disks.samples },
  });
  const registry = new Samples();
  const carry = async () => {
    const stopped = new AbortController();
    const carrier = new SampleCarrier(
      {
        ...{ samples, sink: eventSink(log, JSON_WIRE), state: openMemoryState({ disk: disks.state }) },
        ...{ wire: registry.wire, rules: { logTime: 'append', recordCharsMax: 10_000 } },
        ...{ observer: { carried: () => undefined }, now: () => AT },
      },
      0,
    );
    await carrier.start();
    const running = carrier.run(stopped.signal);
    running.catch(() => undefined);
    const stop = async () => {
      stopped.abort();
      await running;
    };
    stops.push(() => stop().catch(() => undefined));
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    return { running, stop };
  };
  const texts = async (topic: string): Promise<readonly Written[]> =>
    (await log.read(topic, 0, 0, LIMITS)).map(({ value }): Written => JSON.parse(value.toString()));
  const produce = (...values: readonly string[]) =>
    samples.append(
      SAMPLES_TOPIC,
      0,
      values.map((value) => ({ key: 'any', value })),
    );
  return { registry, carry, texts, produce };
}

describe('E4: the Kafka door', () => {
  test('E4: samples go to the log of events; what is refused or cannot be decoded goes whole to the rejected ones', async () => {
    const { carry, texts, produce } = door();
    await produce(usage('a', 8), '\u0001poison', 'schema 7 is unknown', usage('b', 0), usage('c', 4));
    await carry();
    expect((await texts(TOPICS.events)).map(({ id }) => id)).toEqual(['a', 'c']);
    const rejected = await texts(TOPICS.rejected);
    expect(rejected.map(({ reason }) => reason)).toEqual(['malformed', 'malformed', 'invalid_field']);
    expect(Buffer.from(rejected[0]?.event.text ?? '', 'base64').toString()).toBe('\u0001poison');
    expect(rejected[0]?.origin.sent_by).toBe(SAMPLES_TOPIC);
    expect(JSON.parse(rejected[2]?.event.text ?? '')).toEqual(JSON.parse(usage('b', 0)));
  });

  test('E: nobody but an agent speaks here: acts of operators are refused', async () => {
    const { carry, texts, produce } = door();
    const grant = { type: 'credits.granted', data: { grant_id: 'g', amount: '5', kind: 'paid' } };
    await produce(JSON.stringify({ specversion: '1.0', id: 'x', source: 's', subject: 'acme', ...grant }));
    await carry();
    expect(await texts(TOPICS.events)).toEqual([]);
    expect((await texts(TOPICS.rejected))[0]?.reason).toBe('forbidden');
  });

  test('while the registry is away nothing is skipped; another process goes on where one left off', async () => {
    const { registry, carry, texts, produce } = door();
    await produce(usage('a', 8));
    const first = await carry();
    await first.stop();
    registry.reachable = false;
    await produce(usage('b', 8));
    const second = await carry();
    await expect(second.running).rejects.toThrow('away');
    registry.reachable = true;
    await carry();
    expect((await texts(TOPICS.events)).map(({ id }) => id)).toEqual(['a', 'b']);
    expect(await texts(TOPICS.rejected)).toEqual([]);
  });
});
