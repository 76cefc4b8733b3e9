import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type KafkaLogOptions, openKafkaLog, openKafkaLogReader } from '../../../platform/log/kafka-log.ts';
import { createKafkaTopics, describeKafkaTopics } from '../../../platform/log/kafka-topics.ts';
import { type EventLog, isLogError, type LogErrorCode, type LogRecord } from '../../../platform/log/port.ts';
import { describeOnStack, type KafkaComponent, startKafka } from '../../integration/support/components.ts';
import { connectionTo, onOneBroker, openWithTopics } from './kafka-harness.ts';

const LIMITS = { recordsMax: 1000, bytesMax: 1_000_000 };

describeOnStack('the log on Kafka, where brokers fail', () => {
  let kafka: KafkaComponent;
  let topics = 0;
  const opened: Pick<EventLog, 'close'>[] = [];

  beforeAll(async () => {
    kafka = await startKafka();
  }, 120_000);
  afterEach(async () => {
    for (const log of opened.splice(0)) await log.close();
  });
  afterAll(() => kafka.stop());

  function newTopic(): string {
    topics += 1;
    return `topic-${topics}`;
  }

  async function open(name: string, options: Partial<KafkaLogOptions> = {}): Promise<EventLog> {
    const connection = connectionTo(kafka.bootstrap);
    const log = await openWithTopics({
      ...{ connection, topics: [{ name, partitions: 2, time: 'append' }] },
      ...options,
    });
    opened.push(log);
    return log;
  }

  it('kill -9 of the broker under appends and reads loses nothing acknowledged, tears no append and doubles none', {
    timeout: 180_000,
  }, async () => {
    const topic = newTopic();
    const writer = await open(topic, { unavailableMs: 90_000 });
    const reader = await open(topic, { unavailableMs: 90_000 });
    let stop = false;
    const acknowledged: { firstOffset: number; values: string[] }[] = [];
    const write = async (lane: number) => {
      for (let call = 0; !stop; call += 1) {
        const values = Array.from({ length: 1 + (call % 40) }, (_, index) => `${lane}/${call}/${index}`);
        const { firstOffset } = await writer.append(
          topic,
          0,
          values.map((value) => ({ key: 'k', value })),
        );
        acknowledged.push({ firstOffset, values });
      }
    };
    const written = new AbortController();
    const seen: LogRecord[] = [];
    const read = async () => {
      const whole = () =>
        written.signal.aborted && seen.length >= acknowledged.reduce((sum, { values }) => sum + values.length, 0);
      while (!whole()) {
        const records = await reader.read(topic, 0, seen.length, LIMITS);
        seen.push(...records);
        if (records.length === 0) await reader.waitFor(topic, 0, seen.length, written.signal);
      }
    };
    const working = [write(0), write(1), write(2)];
    const reading = read();
    for (let kill = 0; kill < 2; kill += 1) {
      const before = acknowledged.length;
      while (acknowledged.length < before + 50) await writer.append(topic, 1, [{ key: '', value: 'time goes on' }]);
      await kafka.kill();
      await kafka.restart();
    }
    const before = acknowledged.length;
    while (acknowledged.length < before + 50) await writer.append(topic, 1, [{ key: '', value: 'time goes on' }]);
    stop = true;
    await Promise.all(working);
    written.abort();
    await reading;

    const stored = await everything(await open(topic), topic);
    expect(stored.map((record) => record.offset)).toEqual(stored.map((_, index) => index));
    expect(seen.map(text)).toEqual(stored.map(text));
    for (const { firstOffset, values } of acknowledged) {
      expect(stored.slice(firstOffset, firstOffset + values.length).map(text)).toEqual(values);
    }
    expect(stored).toHaveLength(acknowledged.reduce((sum, { values }) => sum + values.length, 0));
    expect(stored.every(({ time }, index) => index === 0 || time >= (stored[index - 1]?.time ?? 0))).toBe(true);
  });

  it('a broker that stays away is named in time, and heals without a new log', { timeout: 120_000 }, async () => {
    const topic = newTopic();
    const log = await open(topic, { unavailableMs: 1_000 });
    await log.append(topic, 0, [{ key: 'k', value: 'before' }]);
    const waiting = log.waitFor(topic, 0, 1);
    await kafka.kill();
    await refused(log.append(topic, 0, [{ key: 'k', value: 'during' }]), 'LogWriteFailed');
    await refused(log.read(topic, 0, 0, LIMITS), 'LogUnavailable');
    await refused(log.endOffset(topic, 0), 'LogUnavailable');
    await kafka.restart();
    expect((await log.append(topic, 0, [{ key: 'k', value: 'after' }])).firstOffset).toBe(1);
    expect(await waiting).toBe(true);
    expect((await log.read(topic, 0, 0, LIMITS)).map(text)).toEqual(['before', 'after']);
  });

  it('two writers of one partition do not tear or lose each other’s appends', { timeout: 60_000 }, async () => {
    const topic = newTopic();
    const logs = [await open(topic), await open(topic)];
    const appended = await Promise.all(
      logs.flatMap((log, writer) =>
        Array.from({ length: 60 }, async (_, call) => {
          const values = Array.from({ length: 1 + (call % 9) }, (__, index) => `${writer}/${call}/${index}`);
          const { firstOffset } = await log.append(
            topic,
            0,
            values.map((value) => ({ key: 'k', value })),
          );
          return { firstOffset, values };
        }),
      ),
    );
    const stored = await everything(logs[0] ?? (await open(topic)), topic);
    expect(stored).toHaveLength(appended.reduce((sum, { values }) => sum + values.length, 0));
    for (const { firstOffset, values } of appended) {
      expect(stored.slice(firstOffset, firstOffset + values.length).map(text)).toEqual(values);
    }
  });

  it('one append of 100,000 records, and one of 16 MiB, is one unit that reads back', {
    timeout: 120_000,
  }, async () => {
    const topic = newTopic();
    const log = await open(topic);
    const many = Array.from({ length: 100_000 }, (_, index) => ({ key: '', value: `${index}` }));
    expect((await log.append(topic, 0, many)).times).toHaveLength(100_000);
    const large = Array.from({ length: 16 }, () => ({ key: '', value: Buffer.alloc(1024 * 1024, 'x') }));
    expect((await log.append(topic, 0, large)).firstOffset).toBe(100_000);
    const records = await log.read(topic, 0, 0, { recordsMax: 200_000, bytesMax: 1e9 });
    expect(records).toHaveLength(100_016);
    expect(records.slice(0, 100_000).every((record) => record.value.toString() === `${record.offset}`)).toBe(true);
    expect(records.at(-1)?.value.equals(Buffer.alloc(1024 * 1024, 'x'))).toBe(true);
  });

  it('waiters are woken by another process’s appends, and by many at once', { timeout: 60_000 }, async () => {
    const topic = newTopic();
    const [here, there] = [await open(topic), await open(topic)];
    const waits = Array.from({ length: 50 }, (_, offset) => here.waitFor(topic, 0, offset));
    for (let call = 0; call < 50; call += 1) await there.append(topic, 0, [{ key: 'k', value: `${call}` }]);
    expect(await Promise.all(waits)).toEqual(new Array(50).fill(true));
    expect((await here.read(topic, 0, 0, LIMITS)).map(text)).toEqual(
      Array.from({ length: 50 }, (_, call) => `${call}`),
    );
  });

  it('what another process trimmed is named as trimmed', { timeout: 60_000 }, async () => {
    const topic = newTopic();
    const [here, there] = [await open(topic), await open(topic)];
    await here.append(
      topic,
      0,
      Array.from({ length: 10 }, () => ({ key: 'k', value: 'v' })),
    );
    await there.trimBefore(topic, 0, 7);
    await refused(here.read(topic, 0, 0, LIMITS), 'LogOffsetTrimmed');
    expect(await here.startOffset(topic, 0)).toBe(7);
    expect(await here.read(topic, 0, 7, LIMITS)).toHaveLength(3);
  });

  it('topics are made once, described, and refused where they differ', { timeout: 60_000 }, async () => {
    const connection = connectionTo(kafka.bootstrap);
    const [events, imports] = [newTopic(), newTopic()];
    const specs = [
      onOneBroker({ name: events, partitions: 3, time: 'append' }),
      onOneBroker({ name: imports, partitions: 1, time: 'event' }),
    ];
    await createKafkaTopics(connection, specs);
    await createKafkaTopics(connection, specs);
    const found = await describeKafkaTopics(connection, [events, imports, 'missing']);
    expect([...found.values()].map(({ partitions, time }) => [partitions, time])).toEqual([
      [3, 'append'],
      [1, 'event'],
    ]);
    const other = (spec: object) =>
      createKafkaTopics(connection, [{ ...onOneBroker({ name: events, partitions: 3, time: 'append' }), ...spec }]);
    await refused(other({ partitions: 4 }), 'LogTopicChanged');
    await refused(other({ time: 'event' }), 'LogTopicChanged');
    await refused(
      openKafkaLogReader({ connection, topics: [{ name: 'missing', partitions: 1, time: 'append' }] }),
      'LogTopicInvalid',
    );
    const narrow = { ...onOneBroker({ name: newTopic(), partitions: 1, time: 'append' }), maxMessageBytes: 1_000_000 };
    await createKafkaTopics(connection, [narrow]);
    await refused(openKafkaLog({ connection, topics: [narrow] }), 'LogTopicInvalid');
    const reader = await openKafkaLogReader({ connection, topics: [narrow] });
    opened.push(reader);
    expect(await reader.endOffset(narrow.name, 0)).toBe(0);
  });

  it('more partitions are read than may hold a connection', { timeout: 60_000 }, async () => {
    const topic = newTopic();
    const log = await open(topic, { tailsMax: 1 });
    for (const partition of [0, 1]) {
      await log.append(
        topic,
        partition,
        [0, 1, 2].map((number) => ({ key: 'k', value: `${partition}/${number}` })),
      );
    }
    const one = { recordsMax: 1, bytesMax: 100 };
    for (const offset of [0, 1, 2]) {
      const found = await Promise.all([0, 1].map((partition) => log.read(topic, partition, offset, one)));
      expect(found.flat().map(text)).toEqual([`0/${offset}`, `1/${offset}`]);
    }
  });
});

async function everything(log: EventLog, topic: string): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  const end = await log.endOffset(topic, 0);
  while (found.length < end) found.push(...(await log.read(topic, 0, found.length, LIMITS)));
  return found;
}

function text(record: LogRecord): string {
  return record.value.toString();
}

async function refused(action: Promise<unknown>, code: LogErrorCode): Promise<void> {
  await expect(action).rejects.toSatisfy((error) => isLogError(error, code), code);
}
