import { crc32 } from 'node:zlib';
import { ACCOUNTS_BY_QOS, DEFAULT_TYPE_PERMILLE, PRICE_BOOK } from './catalog.ts';
import { SECOND_MS, TRACE_START_AT, type Window } from './time.ts';
import { type PodRow, TraceError } from './trace-csv.ts';

/** A pod with GPUs, as the cloud bills it: one node of a cluster for `[startAt, endAt)` in ms. */
export interface Workload {
  readonly pod: string;
  readonly account: string;
  readonly clusterId: string;
  readonly gpuType: string;
  readonly gpus: number;
  readonly qos: string;
  readonly startAt: number;
  readonly endAt: number;
  /** CRC-32 of the pod's name, from which everything that needs chance is taken. */
  readonly hash: number;
}

export interface Fleet {
  /** By start, then pod. */
  readonly workloads: readonly Workload[];
  /** Why the other rows are not among them: counts of rows. */
  readonly leftOut: { readonly noGpu: number; readonly neverScheduled: number; readonly outsideWindow: number };
  /** Workloads that asked for a part of a GPU and are billed for a whole one. */
  readonly roundedUp: number;
}

/**
 * Makes workloads of the pods that had GPUs and ran inside the window. A pod runs from `scheduled_time` to
 * `deletion_time`. A share of a GPU (`gpu_milli` below 1000) is rounded up to one GPU.
 * @throws TraceError for a QoS class or a GPU type that the catalogue does not know, with its line
 */
export function toFleet(rows: readonly PodRow[], window: Window, file: string): Fleet {
  const workloads: Workload[] = [];
  const leftOut = { noGpu: 0, neverScheduled: 0, outsideWindow: 0 };
  let roundedUp = 0;
  for (const row of rows) {
    if (row.numGpu === 0) {
      leftOut.noGpu += 1;
      continue;
    }
    if (row.scheduledSeconds === undefined) {
      leftOut.neverScheduled += 1;
      continue;
    }
    const startAt = Math.max(window.startAt, TRACE_START_AT + row.scheduledSeconds * SECOND_MS);
    const endAt = Math.min(window.endAt, TRACE_START_AT + row.deletionSeconds * SECOND_MS);
    if (startAt >= endAt) {
      leftOut.outsideWindow += 1;
      continue;
    }
    if (row.gpuMilli < 1000) roundedUp += 1;
    const hash = crc32(row.name);
    const account = accountOf(row, hash, file);
    const gpuType = gpuTypeOf(row, hash, file);
    const clusterId = `${account}.${gpuType}`;
    workloads.push({
      pod: row.name,
      account,
      clusterId,
      gpuType,
      gpus: row.numGpu,
      qos: row.qos,
      startAt,
      endAt,
      hash,
    });
  }
  workloads.sort((a, b) => a.startAt - b.startAt || (a.pod < b.pod ? -1 : 1));
  return { workloads, leftOut, roundedUp };
}

function accountOf(row: PodRow, hash: number, file: string): string {
  const buckets = ACCOUNTS_BY_QOS.get(row.qos);
  if (buckets === undefined) {
    const known = [...ACCOUNTS_BY_QOS.keys()].join(', ');
    throw new TraceError(`${file}, line ${row.line}: qos is ${JSON.stringify(row.qos)}, not one of ${known}`);
  }
  return `${row.qos.toLowerCase()}-${hash % buckets}`;
}

/** `gpu_spec` may allow several types (`V100M16|V100M32`): the first is taken. Without one, by the fleet's shares. */
function gpuTypeOf(row: PodRow, hash: number, file: string): string {
  if (row.gpuSpec !== '') {
    const first = row.gpuSpec.split('|')[0] ?? '';
    if (!Object.hasOwn(PRICE_BOOK[0].gpuHourMicros, first)) {
      throw new TraceError(
        `${file}, line ${row.line}: gpu_spec ${JSON.stringify(row.gpuSpec)} has no price in catalog.ts`,
      );
    }
    return first;
  }
  let draw = (hash >>> 8) % 1000;
  for (const [gpuType, permille] of DEFAULT_TYPE_PERMILLE) {
    if (draw < permille) return gpuType;
    draw -= permille;
  }
  throw new Error('the shares of DEFAULT_TYPE_PERMILLE do not add up to 1000');
}
