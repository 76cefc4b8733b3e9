import type { MeteringEvent, Refusal } from '../contracts/event.ts';
import type { UpdateRecord } from '../contracts/update-record.ts';
import type { Instant } from '../time.ts';
import type { Topic } from '../topics.ts';

/** An event of the log, and its text as `text` of `encode` gave it. */
export interface DecodedEvent {
  readonly event: MeteringEvent | Refusal;
  /** Made when asked for: usage that is applied never needs it. */
  text(): string;
}

/**
 * How records stand in the topics. Every record is one JSON text to the services (services/shared/contracts); a format turns
 * it into bytes and back, to the letter: `decode(topic, encode(topic, text))` is `text`.
 */
export interface WireFormat {
  /**
   * Sees to it that all of these values can be decoded. Undefined: they can be already.
   * Rejects with `SchemaUnknown` for a value that no schema of the registry fits (poison), `RegistryUnavailable` while it
   * cannot be asked: then nothing may be skipped.
   */
  learn(topic: Topic, values: readonly Buffer[]): Promise<void> | undefined;

  /** @param text a record of the topic, as the services write it */
  encode(topic: Topic, text: string): string | Uint8Array;

  /** The same for a record of `balance.updates`, without a detour by JSON where the format is typed. */
  encodeUpdate(record: UpdateRecord): string | Uint8Array;

  /** @throws WireError `RecordUndecodable` */
  decode(topic: Topic, value: Buffer): string;

  /** The same for `metering.events`, without a detour by JSON where the record is typed. @param time the log's stamp */
  decodeEvent(value: Buffer, time: Instant): DecodedEvent;
}

export const WIRE_ERRORS = {
  RecordUndecodable: 'the bytes are not such as the format writes; the record was written by something else',
  RegistryUnavailable: 'the schema registry cannot be asked; try again, and skip nothing',
  SchemaUnknown: 'no schema of the registry fits; the record was written by something else',
} as const;

export type WireErrorCode = keyof typeof WIRE_ERRORS;

/** What a format throws. `name` is its code. */
export class WireError extends Error {
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, detail: string, options?: ErrorOptions) {
    super(`${detail}: ${WIRE_ERRORS[code]}`, options);
    this.name = code;
    this.code = code;
  }
}

/** Whether `error` is a `WireError` of this code. */
export function isWireError(error: unknown, code: WireErrorCode): error is WireError {
  return error instanceof WireError && error.code === code;
}
