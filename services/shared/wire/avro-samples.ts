import type * as Avro from './avro-types.ts';

/**
 * What an agent put on `telemetry.samples`, as the event that it stands for: the JSON value that the door takes. Its time is
 * the sample's end; it counts only where the log takes the events' own.
 * @throws Error if it names no use at all or two, or a tag twice
 */
export function sampleEvent(sample: Avro.UsageSample): unknown {
  const { id, source, account_id: subject, start, end, gpu, storage } = sample;
  const tags = Object.fromEntries(sample.tags.map(({ name, value }) => [name, value]));
  if (Object.keys(tags).length !== sample.tags.length) throw new Error('a tag of the same name twice');
  const rest = { start, end, ...(sample.tags.length === 0 ? {} : { tags }) };
  const envelope = { specversion: '1.0', id, source, time: end };
  if (gpu !== null && storage === null) {
    const { cluster_id, node_id, gpu_type, gpus } = gpu;
    return { ...envelope, type: 'usage.gpu', subject, data: { cluster_id, node_id, gpu_type, gpus, ...rest } };
  }
  if (storage !== null && gpu === null) {
    const { volume_id, size_gib } = storage;
    return { ...envelope, type: 'usage.storage', subject, data: { volume_id, size_gib, ...rest } };
  }
  throw new Error('a sample must have exactly one of gpu and storage');
}
