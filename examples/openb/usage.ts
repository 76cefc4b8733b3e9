import { DATA_VOLUME, OUTAGE, RETRY, SCRATCH_VOLUME_GIB } from './catalog.ts';
import { MinHeap } from './heap.ts';
import type { LogEvent } from './log-event.ts';
import { rfc3339, type Window } from './time.ts';
import type { Volume } from './volumes.ts';
import type { Workload } from './workloads.ts';

/** Agents report within 20 s of the end of a sample, storage within 5 s. */
const AGENT_DELAY_MS_MAX = 20_000;
const STORAGE_DELAY_MS = 5_000;

/**
 * A resource's samples in the order in which one of its ways into the log carries them. A workload has up to three
 * such ways (prompt, sent again, held up by the outage); each is in order by itself.
 */
interface Cursor {
  readonly key: string;
  sentAt: number;
  index: number;
  readonly lane: Lane;
  readonly of:
    | { readonly kind: 'node'; readonly workload: Workload }
    | { readonly kind: 'volume'; readonly volume: Volume };
}
type Lane = 'prompt' | 'retry' | 'late';

/**
 * Every usage sample of the fleet in order of the time it entered the log, ties by resource and number. Samples are
 * `sampleMs` long from the start of the pod or volume, the last one shorter. Memory grows with the number of pods, not
 * of samples.
 */
export function* usageEvents(
  workloads: readonly Workload[],
  volumes: readonly Volume[],
  sampleMs: number,
  window: Window,
): Generator<LogEvent> {
  const heap = new MinHeap<Cursor>(before);
  const outage = OUTAGE.deliveredAt < window.endAt;
  const enter = (cursor: Cursor): void => {
    if (seek(cursor, sampleMs, outage)) heap.push(cursor);
  };
  for (const workload of workloads) {
    for (const lane of lanesOf(workload, outage)) {
      enter({ key: workload.pod, sentAt: 0, index: 0, lane, of: { kind: 'node', workload } });
    }
  }
  for (const volume of volumes) {
    enter({ key: volume.volumeId, sentAt: 0, index: 0, lane: 'prompt', of: { kind: 'volume', volume } });
  }

  for (let cursor = heap.pop(); cursor !== undefined; cursor = heap.pop()) {
    yield toEvent(cursor, sampleMs);
    cursor.index += 1;
    enter(cursor);
  }
}

function before(a: Cursor, b: Cursor): boolean {
  if (a.sentAt !== b.sentAt) return a.sentAt < b.sentAt;
  if (a.key !== b.key) return a.key < b.key;
  return a.index !== b.index ? a.index < b.index : a.lane < b.lane;
}

function lanesOf(workload: Workload, outage: boolean): Lane[] {
  const lanes: Lane[] = ['prompt'];
  if ((workload.hash >>> 12) % RETRY.oneIn === 0) lanes.push('retry');
  if (outage && isCutOff(workload)) lanes.push('late');
  return lanes;
}

function isCutOff(workload: Workload): boolean {
  return (workload.hash >>> 16) % OUTAGE.oneIn === 0;
}

/** Moves a cursor to its next sample, this one included; false when there is none. */
function seek(cursor: Cursor, sampleMs: number, outage: boolean): boolean {
  const { startAt, endAt } = cursor.of.kind === 'node' ? cursor.of.workload : cursor.of.volume;
  for (;;) {
    const from = startAt + cursor.index * sampleMs;
    if (from >= endAt) return false;
    const to = Math.min(from + sampleMs, endAt);
    if (cursor.of.kind === 'volume') {
      cursor.sentAt = to + STORAGE_DELAY_MS;
      return true;
    }
    const { workload } = cursor.of;
    const late = outage && isCutOff(workload) && to > OUTAGE.fromAt && to <= OUTAGE.toAt;
    const delayMs = 1 + ((workload.hash >>> 4) % AGENT_DELAY_MS_MAX);
    switch (cursor.lane) {
      case 'prompt':
        if (late) break;
        cursor.sentAt = to + delayMs;
        return true;
      case 'retry':
        if (late) break;
        cursor.sentAt = to + delayMs + RETRY.afterMs;
        return true;
      case 'late':
        if (to > OUTAGE.toAt) return false;
        if (!late) break;
        cursor.sentAt = OUTAGE.deliveredAt + delayMs;
        return true;
    }
    cursor.index += 1;
  }
}

function toEvent(cursor: Cursor, sampleMs: number): LogEvent {
  const { of, index } = cursor;
  const resource = of.kind === 'node' ? of.workload : of.volume;
  const from = resource.startAt + index * sampleMs;
  const interval = { start: rfc3339(from), end: rfc3339(Math.min(from + sampleMs, resource.endAt)) };
  const envelope = { id: `${cursor.key}:${index}`, source: `openb/agent/${resource.account}`, at: cursor.sentAt };
  if (of.kind === 'node') {
    const { clusterId, pod, gpuType, gpus, qos } = of.workload;
    return {
      ...envelope,
      type: 'usage.gpu',
      subject: resource.account,
      data: { cluster_id: clusterId, node_id: pod, gpu_type: gpuType, gpus, ...interval, tags: { qos } },
    };
  }
  return {
    ...envelope,
    type: 'usage.storage',
    subject: resource.account,
    data: { volume_id: of.volume.volumeId, size_gib: sizeGib(of.volume, from), ...interval },
  };
}

/** A data volume grows by what each pod of its account that has begun by then left behind. */
function sizeGib(volume: Volume, at: number): number {
  if (volume.kind === 'scratch') return SCRATCH_VOLUME_GIB;
  return DATA_VOLUME.baseGib + DATA_VOLUME.perPodGib * volume.podsBegunBy(at);
}
