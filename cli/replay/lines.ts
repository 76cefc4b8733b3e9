import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 1 << 20;
/** One line is held in memory whole. */
const LINE_BYTES_MAX = 256 << 20;
const NEWLINE = 0x0a;

/** How far a file has been read, in bytes. */
export interface ReadProgress {
  readonly read: number;
  readonly total: number;
}

/**
 * Gives the lines of a UTF-8 file one after the other, without their line ends (LF or CRLF), in flat memory.
 * @throws Error `LineTooLong` for a line of more than 256 MiB, and what the file system says of a file it cannot read
 */
export function forEachLine(path: string, line: (text: string) => void, progress: (read: ReadProgress) => void): void {
  const descriptor = openSync(path, 'r');
  try {
    const total = fstatSync(descriptor).size;
    let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let kept = 0;
    let read = 0;
    for (;;) {
      if (kept === buffer.length) buffer = grown(buffer, path);
      const count = readSync(descriptor, buffer, kept, buffer.length - kept, null);
      if (count === 0) break;
      read += count;
      const filled = kept + count;
      const end = buffer.lastIndexOf(NEWLINE, filled - 1) + 1;
      if (end > 0) eachLineOf(buffer.toString('utf8', 0, end), line);
      buffer.copyWithin(0, end, filled);
      kept = filled - end;
      progress({ read, total });
    }
    if (kept > 0) eachLineOf(`${buffer.toString('utf8', 0, kept)}\n`, line);
  } finally {
    closeSync(descriptor);
  }
}

function grown(buffer: Buffer<ArrayBuffer>, path: string): Buffer<ArrayBuffer> {
  if (buffer.length >= LINE_BYTES_MAX) {
    const fault = new Error(`${path}: a line is longer than ${LINE_BYTES_MAX} bytes; is it NDJSON?`);
    fault.name = 'LineTooLong';
    throw fault;
  }
  const larger = Buffer.allocUnsafe(buffer.length * 2);
  buffer.copy(larger);
  return larger;
}

/** `text` ends in a line end. */
function eachLineOf(text: string, line: (text: string) => void): void {
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from);
    const carriage = end > from && text.charCodeAt(end - 1) === 0x0d;
    line(text.slice(from, carriage ? end - 1 : end));
    from = end + 1;
  }
}
