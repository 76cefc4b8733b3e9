import { ByteReader, ByteWriter } from './bytes.ts';
import { checkCode } from './faults.ts';
import type { Wire } from './wire.ts';

const API_KEY = 1;
const API_VERSION = 11;
const READ_COMMITTED = 1;
/** What a request takes beside the topic's name. */
const FIXED_BYTES = 80;

export interface FetchRequest {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** How long the broker waits for the first record, in ms; 0 answers at once. */
  readonly waitMs: number;
  /** A bound on the answer; the first batch is given even if it alone is above it. */
  readonly bytesMax: number;
}

/** What a partition holds from an offset on; only what every in-sync replica has, and no open transaction. */
export interface Fetched {
  readonly startOffset: number;
  /** One above the last record that can be read. */
  readonly endOffset: number;
  /** Transactions that were taken back: records of `producerId` from `firstOffset` to its next control batch do not count. */
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: number }[];
  /** Record batches, of which the last may be cut. */
  readonly batches: Buffer;
}

/** Fetches from one partition. Throws `KafkaFault`; OFFSET_OUT_OF_RANGE for an offset that is not there. */
export async function fetchRecords(wire: Wire, request: FetchRequest): Promise<Fetched> {
  const body = new ByteWriter(FIXED_BYTES + request.topic.length * 3)
    .int32(-1)
    .int32(request.waitMs)
    .int32(1)
    .int32(request.bytesMax)
    .int8(READ_COMMITTED)
    .int32(0) // no fetch session: each request names all
    .int32(-1)
    .int32(1)
    .string(request.topic)
    .int32(1)
    .int32(request.partition)
    .int32(-1)
    .int64(request.offset)
    .int64(-1)
    .int32(request.bytesMax)
    .int32(0)
    .string('').bytes;
  const answer = await wire.askRaw({
    apiKey: API_KEY,
    apiVersion: API_VERSION,
    apiName: 'Fetch',
    body,
    holdMs: request.waitMs,
  });
  return readAnswer(answer, `fetch ${request.topic}/${request.partition} from ${request.offset}`);
}

function readAnswer(answer: Buffer, where: string): Fetched {
  const reader = new ByteReader(answer);
  reader.int32(); // throttled: the broker itself holds back
  checkCode(reader.int16(), where);
  reader.int32();
  if (reader.int32() !== 1) throw new Error(`${where}: not one topic in the answer`);
  reader.string();
  if (reader.int32() !== 1) throw new Error(`${where}: not one partition in the answer`);
  reader.int32();
  checkCode(reader.int16(), where);
  const highWatermark = reader.int64();
  const lastStable = reader.int64();
  const startOffset = reader.int64();
  const aborted = reader.list(() => ({ producerId: reader.bigint64(), firstOffset: reader.int64() }));
  reader.int32();
  const batches = reader.rest(Math.max(reader.int32(), 0));
  return { startOffset, endOffset: lastStable < 0 ? highWatermark : lastStable, aborted, batches };
}
