import type { SchemaRegistry } from '../../../platform/registry/port.ts';
import { TOPICS, type Topic } from '../topics.ts';
import { commandRecord, commandText } from './avro-commands.ts';
import { decodedEvent, eventRecord, eventText } from './avro-events.ts';
import { undecodable } from './avro-frame.ts';
import { operationRecord, operationText } from './avro-operations.ts';
import { rejectionRecord, rejectionText } from './avro-rejections.ts';
import { sampleEvent } from './avro-samples.ts';
import { type AvroTopic, SAMPLES_TOPIC, topicSchemas } from './avro-schemas.ts';
import { AvroTopicCodec } from './avro-topic.ts';
import type * as Avro from './avro-types.ts';
import { typedUpdate, updateRecord, updateText } from './avro-updates.ts';
import type { WireFormat } from './wire-format.ts';

/** Kafka's form of the topics: Avro, with the schemas in a registry. */
export interface AvroWire extends WireFormat {
  /** As in any format, and for `telemetry.samples`. */
  learn(topic: AvroTopic, values: readonly Buffer[]): Promise<void> | undefined;

  /**
   * A record of `telemetry.samples` as the event that it stands for: the JSON value that the door takes.
   * @throws WireError `RecordUndecodable`
   */
  readSample(value: Buffer): unknown;
}

/**
 * Opens the wire format of the cluster: looks up the ids of all released schemas. From then on only `learn` asks the
 * registry, and only for ids that are not ours.
 * Rejects with WireError `RegistryUnavailable`, or with SchemasNotRegistered.
 */
export async function openAvroWire({ registry }: { readonly registry: SchemaRegistry }): Promise<AvroWire> {
  const schemas = await topicSchemas();
  const open = <Value>(topic: AvroTopic): Promise<AvroTopicCodec<Value>> => {
    return AvroTopicCodec.open(
      registry,
      schemas.filter((schema) => schema.topic === topic),
    );
  };
  const events = await open<Avro.MeteringEvent>(TOPICS.events);
  const samples = await open<Avro.UsageSample>(SAMPLES_TOPIC);
  const updates = await open<Avro.BalanceUpdate>(TOPICS.updates);
  const commands = async (topic: Topic) => texts(await open<Avro.ControlCommand>(topic), commandRecord, commandText);
  const topics: Readonly<Record<Topic, TextTopic>> = {
    [TOPICS.events]: texts(events, eventRecord, eventText),
    [TOPICS.rejected]: texts(await open<Avro.RejectedEvent>(TOPICS.rejected), rejectionRecord, rejectionText),
    [TOPICS.updates]: texts(updates, updateRecord, updateText),
    [TOPICS.alerts]: await commands(TOPICS.alerts),
    [TOPICS.compute]: await commands(TOPICS.compute),
    [TOPICS.storage]: await commands(TOPICS.storage),
    [TOPICS.operations]: texts(await open<Avro.Operation>(TOPICS.operations), operationRecord, operationText),
  };
  return {
    learn: (topic, values) => (topic === SAMPLES_TOPIC ? samples : topics[topic]).learn(values),
    encode: (topic, text) => topics[topic].encode(text),
    encodeUpdate: (record) => updates.encode(typedUpdate(record)),
    decode: (topic, value) => topics[topic].decode(value),
    decodeEvent: (value, time) => read(events, value, (record) => decodedEvent(record, time)),
    readSample: (value) => read(samples, value, sampleEvent),
  };
}

/** A topic whose records the services write and read as texts. */
interface TextTopic {
  learn(values: readonly Buffer[]): Promise<void> | undefined;
  encode(text: string): Buffer;
  decode(value: Buffer): string;
}

function texts<Value>(
  codec: AvroTopicCodec<Value>,
  recordOf: (text: string) => Value,
  textOf: (record: Value) => string,
): TextTopic {
  return {
    learn: (values) => codec.learn(values),
    encode: (text) => codec.encode(recordOf(text)),
    decode: (value) => read(codec, value, textOf),
  };
}

/** Bytes that decode and yet say nothing sensible were not written by us either. @throws WireError */
function read<Value, Result>(codec: AvroTopicCodec<Value>, value: Buffer, as: (record: Value) => Result): Result {
  const record = codec.decode(value);
  try {
    return as(record);
  } catch (fault) {
    throw undecodable(fault);
  }
}
