import { isUtf8 } from 'node:buffer';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 1 << 20;
/** One line is held in memory whole. */
const LINE_BYTES_MAX = 256 << 20;
const NEWLINE = 0x0a;
/** What some editors put before a text to say that it is UTF-8; JSON allows a reader to leave it out (RFC 8259, 8.1). */
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** How far a file has been read, in bytes. */
export interface ReadProgress {
  readonly read: number;
  readonly total: number;
}

/** A line without its line end. In the text of one that is no UTF-8, U+FFFD stands for what cannot be read. */
export type OnLine = (text: string, utf8: boolean) => void;

/**
 * Gives the lines of a file one after the other, without their line ends (LF or CRLF) and without the byte order mark that
 * the file may begin with, in flat memory.
 * @throws Error `LineTooLong` for a line of more than 256 MiB, and what the file system says of a file it cannot read
 */
export function forEachLine(path: string, line: OnLine, progress: (read: ReadProgress) => void): void {
  const descriptor = openSync(path, 'r');
  try {
    const total = fstatSync(descriptor).size;
    let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let kept = 0;
    let read = 0;
    let begun = false;
    const give = (bytes: Buffer): void => {
      eachLineIn(begun ? bytes : withoutMark(bytes), line);
      begun = true;
    };
    for (;;) {
      if (kept === buffer.length) buffer = grown(buffer, path);
      const count = readSync(descriptor, buffer, kept, buffer.length - kept, null);
      if (count === 0) break;
      read += count;
      const filled = kept + count;
      const end = buffer.lastIndexOf(NEWLINE, filled - 1) + 1;
      if (end > 0) give(buffer.subarray(0, end));
      buffer.copyWithin(0, end, filled);
      kept = filled - end;
      progress({ read, total });
    }
    if (kept > 0) give(buffer.subarray(0, kept));
  } finally {
    closeSync(descriptor);
  }
}

function withoutMark(bytes: Buffer): Buffer {
  const length = BYTE_ORDER_MARK.length;
  return bytes.subarray(0, length).equals(BYTE_ORDER_MARK) ? bytes.subarray(length) : bytes;
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

/** Many lines are looked at at once; only where one of them is no UTF-8, each by itself. */
function eachLineIn(bytes: Buffer, line: OnLine): void {
  if (isUtf8(bytes)) {
    eachLineOf(bytes.toString('utf8'), (text) => line(text, true));
    return;
  }
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, from) + 1 || bytes.length;
    const own = bytes.subarray(from, end);
    eachLineOf(own.toString('utf8'), (text) => line(text, isUtf8(own)));
    from = end;
  }
}

function eachLineOf(text: string, line: (text: string) => void): void {
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    const carriage = end > from && text.charCodeAt(end - 1) === 0x0d;
    line(text.slice(from, carriage ? end - 1 : end));
    from = end + 1;
  }
}
