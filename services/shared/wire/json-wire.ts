import { parseEvent } from '../contracts/parse-event.ts';
import { updateRecordText } from '../contracts/update-record.ts';
import type { WireFormat } from './wire-format.ts';

/** The embedded log's: a record is its JSON text (docs/decisions/0003). */
export const JSON_WIRE: WireFormat = {
  learn: () => undefined,
  encode: (_topic, text) => text,
  encodeUpdate: updateRecordText,
  decode: (_topic, value) => value.toString('utf8'),
  decodeEvent: (value, time) => {
    const text = value.toString('utf8');
    return { event: parseEvent(JSON.parse(text), time), text: () => text };
  },
};
