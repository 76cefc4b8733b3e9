import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { BadCall } from '../replay.ts';

/** An event as it stands in a file: the bytes of its line, without the line end. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly bytes: Buffer;
}

/** Above what the door takes as one event, so that it is the door that refuses one, and says why. */
const LINE_BYTES_MAX = 4 << 20;
const NEWLINE = 0x0a;

/**
 * The lines of a stream that hold more than white space.
 * @throws BadCall for a line above 4 MiB, and for a stream that cannot be read
 */
export async function* linesOf(stream: Readable, name: string): AsyncGenerator<Line> {
  let number = 0;
  let rest: Buffer[] = [];
  let restBytes = 0;
  try {
    for await (const piece of stream) {
      const chunk: Buffer = Buffer.isBuffer(piece) ? piece : Buffer.from(piece);
      let from = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
        number += 1;
        const bytes = Buffer.concat([...rest, chunk.subarray(from, end)]);
        rest = [];
        restBytes = 0;
        from = end + 1;
        if (!isBlank(bytes)) yield { number, bytes };
      }
      rest.push(chunk.subarray(from));
      restBytes += chunk.length - from;
      if (restBytes > LINE_BYTES_MAX) {
        throw new BadCall(
          `${name}: line ${number + 1} is longer than ${LINE_BYTES_MAX} bytes: is it NDJSON, one event a line?`,
        );
      }
    }
  } catch (fault) {
    if (fault instanceof Error && 'code' in fault && !(fault instanceof BadCall)) {
      throw new BadCall(`${name}: cannot be read: ${fault.message}`);
    }
    throw fault;
  }
  const last = Buffer.concat(rest);
  if (!isBlank(last)) yield { number: number + 1, bytes: last };
}

/** As the door sees it, which skips blank lines: what it says of the n-th event must stand for the n-th that was sent. */
function isBlank(bytes: Buffer): boolean {
  const first = bytes[0];
  if (first !== undefined && first > 0x20 && first < 0x7f) return false;
  return isUtf8(bytes) && bytes.toString('utf8').trim().length === 0;
}
