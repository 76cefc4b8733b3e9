import { isAscii } from 'node:buffer';

/**
 * Any JavaScript string as bytes and back: each UTF-16 code unit is written like a code point in UTF-8 (CESU-8). Unlike
 * UTF-8 it loses nothing (a lone surrogate has bytes of its own, so no two texts share theirs), and the order of the
 * bytes is that of the code units (in UTF-8 U+FFFD comes before U+10000). ASCII is one byte a unit, all else 2 or 3.
 */
export function encodeText(text: string): Buffer {
  const utf8Bytes = Buffer.byteLength(text, 'utf8');
  if (utf8Bytes === text.length) return Buffer.from(text, 'latin1');
  if (!hasSurrogate(text)) return Buffer.from(text, 'utf8');
  return encodeUnits(text);
}

/** The text that `encodeText` wrote. */
export function decodeText(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  return hasSurrogateBytes(bytes) ? decodeUnits(bytes) : bytes.toString('utf8');
}

function hasSurrogate(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdfff) return true;
  }
  return false;
}

/** A surrogate's three bytes begin with 0xed and go on with 0xa0 or more; no other unit's do. */
function hasSurrogateBytes(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
    if ((bytes[at + 1] ?? 0) >= 0xa0) return true;
  }
  return false;
}

function encodeUnits(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(text.length * 3);
  let end = 0;
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

function decodeUnits(bytes: Buffer): string {
  const units = Buffer.allocUnsafe(bytes.length * 2);
  let end = 0;
  for (let at = 0; at < bytes.length; ) {
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
