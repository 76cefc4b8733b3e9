import type { Envelope, MeteringEvent, Tags, UsageGpu, UsageStorage } from '../contracts/event.ts';
import { jsonText } from '../contracts/json-text.ts';
import { isId, parseEvent } from '../contracts/parse-event.ts';
import { formatInstant, type Instant, LAST_INSTANT, parseInstant, SECOND_MS } from '../time.ts';
import type * as Avro from './avro-types.ts';
import { isWellFormed } from './well-formed.ts';
import type { DecodedEvent } from './wire-format.ts';

const GPUS_MAX = 1024;
const SIZE_GIB_MAX = 2 ** 40;
const TAGS_MAX = 16;
const TAG_LENGTH_MAX = 64;
const SOURCE_LENGTH_MAX = 256;

/**
 * A record of `metering.events` for its JSON text. Usage is typed where that gives the same text again; anything else keeps
 * its data as JSON.
 * @throws Error if it is no text of services/ingest/core/accept.ts
 */
export function eventRecord(text: string): Avro.MeteringEvent {
  const sent: Sent = JSON.parse(text);
  const usage = typedUsage(sent);
  if (usage !== undefined && textOf(usage) === text) return usage;
  const other = { type: sent.type, data: JSON.stringify(sent.data) ?? '' };
  const { id, source, subject = null, forwarded = false } = sent;
  const record = { id, source, subject, forwarded, usage_gpu: null, usage_storage: null, other };
  if (textOf(record) !== text || !isWellFormed(text)) throw new Error(`no record of metering.events: ${text}`);
  return record;
}

/** The JSON text of a record, as `eventRecord` took it. @throws Error if it is not as that function makes them */
export function eventText(record: Avro.MeteringEvent): string {
  // What stands in the text as it is must be one JSON value, or it could add members to the envelope.
  if (record.other !== null) JSON.parse(record.other.data);
  return textOf(record);
}

function textOf(record: Avro.MeteringEvent): string {
  const { id, source, subject, forwarded, usage_gpu: gpu, usage_storage: storage, other } = record;
  const head = `{${forwarded ? '"forwarded":true,' : ''}"specversion":"1.0","id":${jsonText(id)},"source":${jsonText(source)},"type":`;
  const about = subject === null ? '' : `"subject":${jsonText(subject)},`;
  if (gpu !== null) return `${head}"usage.gpu",${about}"data":${gpuText(gpu)}}`;
  if (storage !== null) return `${head}"usage.storage",${about}"data":${storageText(storage)}}`;
  if (other !== null) return `${head}${jsonText(other.type)},${about}"data":${other.data}}`;
  throw new Error('an event without content: of a type that this release does not know');
}

/**
 * What `parseEvent` makes of a record's text, and for usage without making the text first.
 * @param time the log's stamp
 * @throws Error if the record is not as `eventRecord` makes them
 */
export function decodedEvent(record: Avro.MeteringEvent, time: Instant): DecodedEvent {
  const body = usageBody(record);
  if (body !== undefined) return new DecodedUsage(record, body, time);
  const text = eventText(record);
  return { event: parseEvent(JSON.parse(text), time), text: () => text };
}

interface Sent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string;
  readonly forwarded?: boolean;
  readonly data: unknown;
}

class DecodedUsage implements DecodedEvent {
  readonly event: MeteringEvent;
  readonly #record: Avro.MeteringEvent;

  constructor(record: Avro.MeteringEvent, body: UsageGpu | UsageStorage, time: Instant) {
    this.event = { envelope: new UsageEnvelope(record, time), body };
    this.#record = record;
  }

  text(): string {
    return textOf(this.#record);
  }
}

/** No rule looks at the data of usage (E3 compares that of operations only), so it is made when somebody does. */
class UsageEnvelope implements Envelope {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string | undefined;
  readonly time: Instant;
  readonly forwarded = false;
  readonly #record: Avro.MeteringEvent;

  constructor(record: Avro.MeteringEvent, time: Instant) {
    this.id = record.id;
    this.source = record.source;
    this.type = record.usage_gpu === null ? 'usage.storage' : 'usage.gpu';
    this.subject = record.subject ?? undefined;
    this.time = time;
    this.#record = record;
  }

  get data(): unknown {
    const sent: Sent = JSON.parse(textOf(this.#record));
    return sent.data;
  }
}

/** Undefined for what is no usage, and for usage that `parseEvent` might refuse or read otherwise: then it is asked. */
function usageBody(record: Avro.MeteringEvent): UsageGpu | UsageStorage | undefined {
  const { usage_gpu: gpu, usage_storage: storage, source, subject } = record;
  if (!isId(record.id) || !isId(subject) || source.length === 0 || source.length > SOURCE_LENGTH_MAX) return undefined;
  if (gpu !== null) return gpuBody(gpu);
  return storage === null ? undefined : storageBody(storage);
}

function gpuBody(gpu: Avro.UsageGpu): UsageGpu | undefined {
  const { cluster_id: clusterId, node_id: nodeId, gpu_type: gpuType, gpus, start, end } = gpu;
  if (!isId(clusterId) || !isId(nodeId) || !isId(gpuType) || gpus < 1 || gpus > GPUS_MAX) return undefined;
  if (!isWritten(start, gpu.start_sent) || !isWritten(end, gpu.end_sent)) return undefined;
  const tags = gpu.tags === null ? undefined : tagsOf(gpu.tags);
  if (tags === UNUSUAL) return undefined;
  return { type: 'usage.gpu', clusterId, nodeId, gpuType, gpus, start, end, tags };
}

function storageBody(storage: Avro.UsageStorage): UsageStorage | undefined {
  const { volume_id: volumeId, size_gib: sizeGib, start, end } = storage;
  if (!isId(volumeId) || sizeGib < 1 || sizeGib > SIZE_GIB_MAX) return undefined;
  if (!isWritten(start, storage.start_sent) || !isWritten(end, storage.end_sent)) return undefined;
  const tags = storage.tags === null ? undefined : tagsOf(storage.tags);
  if (tags === UNUSUAL) return undefined;
  return { type: 'usage.storage', volumeId, sizeGib, start, end, tags };
}

const UNUSUAL = 'unusual';
/** Members of a JSON object that look like numbers come first, whatever their place. */
const NUMBER_LIKE = /^\d/;

function tagsOf(sent: readonly Avro.Tag[]): Tags | typeof UNUSUAL {
  if (sent.length > TAGS_MAX) return UNUSUAL;
  const tags = new Map<string, string>();
  for (const { name, value } of sent) {
    if (name.length > TAG_LENGTH_MAX || value.length > TAG_LENGTH_MAX || NUMBER_LIKE.test(name)) return UNUSUAL;
    tags.set(name, value);
  }
  return tags.size === sent.length ? tags : UNUSUAL;
}

function gpuText(gpu: Avro.UsageGpu): string {
  return (
    `{"cluster_id":${jsonText(gpu.cluster_id)},"node_id":${jsonText(gpu.node_id)},"gpu_type":${jsonText(gpu.gpu_type)},` +
    `"gpus":${gpu.gpus},"start":${instantText(gpu.start, gpu.start_sent)},"end":${instantText(gpu.end, gpu.end_sent)}${tagsText(gpu.tags)}}`
  );
}

function storageText(storage: Avro.UsageStorage): string {
  return (
    `{"volume_id":${jsonText(storage.volume_id)},"size_gib":${storage.size_gib},` +
    `"start":${instantText(storage.start, storage.start_sent)},"end":${instantText(storage.end, storage.end_sent)}${tagsText(storage.tags)}}`
  );
}

function tagsText(tags: readonly Avro.Tag[] | null): string {
  if (tags === null) return '';
  return `,"tags":{${tags.map(({ name, value }) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}

/** Whether an instant can have been written in this form. */
function isWritten(at: Instant, form: Avro.TimeForm): boolean {
  return at >= 0 && at <= LAST_INSTANT && (form !== 'SECONDS' || at % SECOND_MS === 0);
}

function instantText(at: Instant, form: Avro.TimeForm): string {
  if (!isWritten(at, form)) throw new Error(`${at} is no instant in ${form}`);
  switch (form) {
    case 'SECONDS':
      return `"${formatInstant(at).slice(0, 19)}Z"`;
    case 'MILLIS':
      return `"${formatInstant(at)}"`;
    case 'INTEGER':
      return `${at}`;
  }
}

/** Usage with typed members, if it has those of its type: whether they say all is for `textOf` to show. */
function typedUsage(sent: Sent): Avro.MeteringEvent | undefined {
  const { id, source, type, data } = sent;
  if (type !== 'usage.gpu' && type !== 'usage.storage') return undefined;
  if (typeof data !== 'object' || data === null || typeof id !== 'string' || typeof source !== 'string')
    return undefined;
  const usage: SentUsage = data;
  const start = parseInstant(usage.start);
  const end = parseInstant(usage.end);
  const tags = usage.tags === undefined ? null : tagsSent(usage.tags);
  if (start === undefined || end === undefined || tags === undefined) return undefined;
  const start_sent = formSent(usage.start);
  const end_sent = formSent(usage.end);
  if (!isWritten(start, start_sent) || !isWritten(end, end_sent)) return undefined;
  const subject = sent.subject ?? null;
  const forwarded = sent.forwarded === true;
  if (type === 'usage.gpu') {
    const { cluster_id, node_id, gpu_type, gpus } = usage;
    if (!isId(cluster_id) || !isId(node_id) || !isId(gpu_type) || !isCount(gpus, GPUS_MAX)) return undefined;
    const usage_gpu = { cluster_id, node_id, gpu_type, gpus, start, end, start_sent, end_sent, tags };
    return { id, source, subject, forwarded, usage_gpu, usage_storage: null, other: null };
  }
  const { volume_id, size_gib } = usage;
  if (!isId(volume_id) || !isCount(size_gib, SIZE_GIB_MAX)) return undefined;
  const usage_storage = { volume_id, size_gib, start, end, start_sent, end_sent, tags };
  return { id, source, subject, forwarded, usage_gpu: null, usage_storage, other: null };
}

interface SentUsage {
  readonly cluster_id?: unknown;
  readonly node_id?: unknown;
  readonly gpu_type?: unknown;
  readonly gpus?: unknown;
  readonly volume_id?: unknown;
  readonly size_gib?: unknown;
  readonly start?: unknown;
  readonly end?: unknown;
  readonly tags?: unknown;
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most;
}

const MILLIS_LENGTH = '2026-05-04T10:00:00.000Z'.length;

/** A guess by the length; the text that comes out of it is compared with what was sent. */
function formSent(value: unknown): Avro.TimeForm {
  if (typeof value !== 'string') return 'INTEGER';
  return value.length === MILLIS_LENGTH ? 'MILLIS' : 'SECONDS';
}

/** Undefined for what cannot be said as tags. */
function tagsSent(value: unknown): Avro.Tag[] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const tags: Avro.Tag[] = [];
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string' || !isWellFormed(name) || !isWellFormed(text)) return undefined;
    tags.push({ name, value: text });
  }
  return tags;
}
