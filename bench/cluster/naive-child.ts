import { readFile } from 'node:fs/promises';
import avro from 'avsc';
import { Redis } from 'ioredis';
import { type EachBatchPayload, Kafka, logLevel } from 'kafkajs';
import { RowBlock, RowColumns } from '../../platform/warehouse/row-binary.ts';

/** What the child is told, as JSON in its one argument. */
export interface NaiveTask {
  /** `consume` reads, decodes and adds up; `skeleton` does all that the pipeline does, as one would do it first. */
  readonly kind: 'consume' | 'skeleton';
  readonly brokers: string;
  readonly redis: string;
  readonly clickhouse: string;
  readonly topic: string;
  readonly updates: string;
  readonly schemaFile: string;
  /** By partition, up to where to read. */
  readonly ends: readonly number[];
}

interface Usage {
  readonly id: string;
  readonly source: string;
  readonly subject: string;
  readonly usage_gpu: {
    readonly cluster_id: string;
    readonly node_id: string;
    readonly gpu_type: string;
    readonly gpus: number;
    readonly start: number;
    readonly end: number;
  } | null;
}

const HEAD_BYTES = 5;
const STEP_RECORDS = 500;
const INSERT_ROWS = 20_000;
const UPDATE_EVERY = 10;
const FLUSHES_MAX = 2;
const STATE = 'x'.repeat(2048);
const COLUMNS = new RowColumns([
  ['part', 'UInt32'],
  ['off', 'UInt64'],
  ['event', 'String'],
  ['account', 'String'],
  ['cluster', 'String'],
  ['node', 'String'],
  ['gpu_type', 'String'],
  ['gpus', 'UInt32'],
  ['start', 'UInt64'],
  ['end', 'UInt64'],
  ['amount', 'UInt64'],
  ['balance', 'UInt64'],
]);
const SCRIPT = "redis.call('HSET', KEYS[1], 'next', ARGV[1], 'state', ARGV[2])";

/** What a partition has brought about and nobody has yet. */
class Part {
  readonly balances = new Map<string, number>();
  rows = new RowBlock(COLUMNS);
  updates: { partition: number; key: string; value: string }[] = [];
  sends: Promise<unknown>[] = [];
  flushes: Promise<unknown>[] = [];
  next = 0;
}

/**
 * The pipeline's shape without its rules: consume by kafkajs, decode, add up in doubles, one EVAL for 500 records, one
 * insert for 20,000 rows, one update for ten records, commit the offset. No prices, no grants, no fence; a crash doubles
 * rows. What keeps more promises cannot well be faster.
 */
async function main(task: NaiveTask): Promise<void> {
  const type = avro.Type.forSchema(JSON.parse(await readFile(task.schemaFile, 'utf8')), { wrapUnions: 'never' });
  const kafka = new Kafka({ brokers: [task.brokers], clientId: 'bench-naive', logLevel: logLevel.ERROR });
  const redis = new Redis(task.redis, { lazyConnect: true });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  if (task.kind === 'skeleton') await Promise.all([redis.connect(), producer.connect()]);
  const parts = task.ends.map(() => new Part());

  const take = (part: Part, partition: number, { offset, value }: { offset: string; value: Buffer | null }): void => {
    const event: Usage = type.decode(value ?? Buffer.alloc(0), HEAD_BYTES).value;
    part.next = Number(offset) + 1;
    if (event.usage_gpu === null) return;
    const { cluster_id, node_id, gpu_type, gpus, start, end } = event.usage_gpu;
    const amount = gpus * (end - start) * 7;
    const balance = (part.balances.get(event.subject) ?? 1e15) - amount;
    part.balances.set(event.subject, balance);
    if (task.kind === 'consume') return;
    part.rows.uint32(partition);
    part.rows.int64(part.next - 1);
    for (const text of [`${event.source}/${event.id}`, event.subject, cluster_id, node_id, gpu_type])
      part.rows.string(text);
    part.rows.uint32(gpus);
    for (const number of [start, end, amount, balance]) part.rows.int64(number);
    part.rows.endRow();
    if (part.next % UPDATE_EVERY !== 0) return;
    const update = { account: event.subject, balance, offset };
    part.updates.push({ partition, key: event.subject, value: JSON.stringify(update) });
  };

  const insert = async ({ columns, chunks }: RowBlock): Promise<void> => {
    const query = encodeURIComponent('INSERT INTO naive_rows FORMAT RowBinaryWithNamesAndTypes');
    const body = Buffer.concat([columns.header, ...chunks.map(({ bytes }) => bytes)]);
    const answer = await fetch(`${task.clickhouse}/?query=${query}`, { method: 'POST', body });
    const said = await answer.text();
    if (!answer.ok) throw new Error(said);
  };

  const flush = (part: Part, partition: number): void => {
    const { rows, sends, next } = part;
    part.rows = new RowBlock(COLUMNS);
    part.sends = [];
    const offsets = [{ topic: task.topic, partition, offset: `${next}` }];
    const flushing = Promise.all([insert(rows), ...sends]).then(() => consumer.commitOffsets(offsets));
    part.flushes.push(flushing);
  };

  const step = async (part: Part, partition: number): Promise<void> => {
    await redis.eval(SCRIPT, 1, `{p${partition}}:naive`, part.next, STATE);
    if (part.updates.length >= STEP_RECORDS) send(part);
    if (part.rows.length >= INSERT_ROWS) flush(part, partition);
    if (part.flushes.length > FLUSHES_MAX) await part.flushes.shift();
  };

  const send = (part: Part): void => {
    const { updates } = part;
    part.updates = [];
    if (updates.length > 0) part.sends.push(producer.send({ topic: task.updates, acks: -1, messages: updates }));
  };

  const consumer = kafka.consumer({ groupId: `bench-naive-${process.pid}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic: task.topic, fromBeginning: true });
  let begun = false;
  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    if (!begun) process.stdout.write('begun\n');
    begun = true;
    const { partition, messages } = payload.batch;
    const part = parts[partition];
    if (part === undefined) throw new Error(`partition ${partition}`);
    for (let from = 0; from < messages.length; from += STEP_RECORDS) {
      for (const message of messages.slice(from, from + STEP_RECORDS)) take(part, partition, message);
      if (task.kind === 'skeleton') await step(part, partition);
      await payload.heartbeat();
    }
  };
  const partitionsConsumedConcurrently = parts.length;
  await consumer.run({ autoCommit: false, eachBatchAutoResolve: true, partitionsConsumedConcurrently, eachBatch });
  while (parts.some((part, partition) => part.next < (task.ends[partition] ?? 0))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  if (task.kind === 'skeleton') {
    for (const [partition, part] of parts.entries()) {
      send(part);
      flush(part, partition);
    }
    await Promise.all(parts.flatMap((part) => part.flushes));
  }
  process.stdout.write('done\n');
}

await main(JSON.parse(process.argv[2] ?? ''));
