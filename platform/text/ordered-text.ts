/**
 * Any JavaScript string as bytes and back: each UTF-16 code unit is written like a code point in UTF-8 (CESU-8). Unlike
 * UTF-8 it loses nothing (a lone surrogate has bytes of its own, so no two texts share theirs), and the order of the
 * bytes is that of the code units (in UTF-8 U+FFFD comes before U+10000). ASCII is one byte a unit, all else 2 or 3.
 */
export function encodeText(text: string): Buffer {
  return encodeTextAfter(0, text);
}

/** The same, behind `room` bytes that the caller fills in: one allocation a key, of which there are very many. */
export function encodeTextAfter(room: number, text: string): Buffer {
  const utf8Bytes = Buffer.byteLength(text, 'utf8');
  const ascii = utf8Bytes === text.length;
  if (!ascii && hasSurrogate(text)) return encodeUnits(room, text);
  const bytes = Buffer.allocUnsafe(room + utf8Bytes);
  bytes.write(text, room, ascii ? 'latin1' : 'utf8');
  return bytes;
}

/**
 * The same for who writes strings as UTF-8 by himself: the text as it is where that gives the bytes of `encodeText`,
 * which is nearly always, and costs a third; otherwise those bytes.
 */
export function encodeTextUnlessUtf8(text: string): string | Buffer {
  return SURROGATE.test(text) ? encodeText(text) : text;
}

const SURROGATE = /[\ud800-\udfff]/;

/** The text that `encodeText` wrote, from `start` on. */
export function decodeText(bytes: Buffer, start = 0): string {
  for (let at = start; at < bytes.length; at += 1) {
    if ((bytes[at] ?? 0) >= 0x80) {
      return hasSurrogateBytes(bytes, at) ? decodeUnits(bytes, start) : bytes.toString('utf8', start);
    }
  }
  return bytes.toString('latin1', start);
}

function hasSurrogate(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdfff) return true;
  }
  return false;
}

/** A surrogate's three bytes begin with 0xed and go on with 0xa0 or more; no other unit's do. */
function hasSurrogateBytes(bytes: Buffer, start: number): boolean {
  for (let at = bytes.indexOf(0xed, start); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
    if ((bytes[at + 1] ?? 0) >= 0xa0) return true;
  }
  return false;
}

function encodeUnits(room: number, text: string): Buffer {
  const bytes = Buffer.allocUnsafe(room + text.length * 3);
  let end = room;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) {
      bytes[end++] = unit;
    } else if (unit < 0x800) {
      bytes[end++] = 0xc0 | (unit >> 6);
      bytes[end++] = 0x80 | (unit & 0x3f);
    } else {
      bytes[end++] = 0xe0 | (unit >> 12);
      bytes[end++] = 0x80 | ((unit >> 6) & 0x3f);
      bytes[end++] = 0x80 | (unit & 0x3f);
    }
  }
  return bytes.subarray(0, end);
}

function decodeUnits(bytes: Buffer, start: number): string {
  const units = Buffer.allocUnsafe(bytes.length * 2);
  let end = 0;
  for (let at = start; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : 3;
    const second = (bytes[at + 1] ?? 0) & 0x3f;
    const third = (bytes[at + 2] ?? 0) & 0x3f;
    const unit =
      size === 1 ? first : size === 2 ? ((first & 0x1f) << 6) | second : ((first & 0x0f) << 12) | (second << 6) | third;
    end = units.writeUInt16LE(unit, end);
    at += size;
  }
  return units.toString('utf16le', 0, end);
}
