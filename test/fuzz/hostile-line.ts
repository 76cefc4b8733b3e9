import { hostileValue, member, raw } from './hostile-values.ts';
import type { Random } from './random.ts';

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** A line that is spoilt at the level of bytes, of tokens or of its structure. */
export function spoilt(line: string, others: readonly string[], random: Random): Buffer {
  const level = random.next();
  if (level < 0.15) return spoilBytes(Buffer.from(line), random);
  if (level < 0.3) return Buffer.from(spoilTokens(line, others, random));
  return Buffer.from(spoilStructure(line, random));
}

/** Bytes that are changed, missing, doubled, put in; half of a character, no character at all. */
function spoilBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length);
  const hostile = random.pick([
    Buffer.from([random.below(256)]),
    Buffer.from([0x00]),
    Buffer.from([0xc3]),
    Buffer.from([0xed, 0xa0, 0x80]),
    Buffer.from([0xff, 0xfe]),
    Buffer.from([0xf4, 0x90, 0x80, 0x80]),
    BOM,
    Buffer.from('\r'),
    Buffer.from('\u2028'),
    random.bytes(8),
  ]);
  switch (random.below(6)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), hostile, bytes.subarray(at + 1)]);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), hostile, bytes.subarray(at)]);
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return Buffer.concat([BOM, bytes]);
    case 4:
      return Buffer.concat([bytes, bytes.subarray(at)]);
    default:
      return Buffer.from(bytes.map((byte) => (random.chance(0.02) ? random.below(256) : byte)));
  }
}

const TOKENS: readonly string[] = [
  ...['{', '}', '[', ']', ',', ':', '"', '\\', '\\u', '\\ud800', '\\udc00\\ud800', 'null', 'true', '-', '0', '1e400'],
  ...[
    '-1',
    '01',
    '1.0',
    '1e3',
    '0x10',
    'NaN',
    'Infinity',
    '9007199254740993',
    '1e308',
    '-0',
    '""',
    '{}',
    '[]',
    '//',
    '/**/',
  ],
  ...['"__proto__":', '"constructor":', '"toString"', '\u0000', '\ufeff', '\\u0000', ' ', '\t', "'", ';', '"time":0,'],
];
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|[{}[\],:]|true|false|null/g;

/** A token of the text left out, doubled, swapped for another one, or for one of another line. */
function spoilTokens(line: string, others: readonly string[], random: Random): string {
  const tokens = line.match(TOKEN) ?? [line];
  const at = random.below(tokens.length);
  const elsewhere = random.pick(others).match(TOKEN) ?? ['0'];
  const other = random.chance(0.5) ? random.pick(TOKENS) : random.pick(elsewhere);
  switch (random.below(5)) {
    case 0:
      return tokens.toSpliced(at, 1).join('');
    case 1:
      return tokens.toSpliced(at, 0, other).join('');
    case 2:
      return tokens.toSpliced(at, 1, other).join('');
    case 3:
      return tokens.slice(at).join('') + tokens.slice(0, at).join('');
    default:
      return random.chance(0.05) ? random.pick(['', ' ', '\t', '[]', '{}', '"x"', '0', 'null']) : tokens.join(' \t ');
  }
}

type Members = Record<string, unknown>;

/** A member with a hostile value, without one, twice, under another name, or one too many. */
export function spoilStructure(line: string, random: Random): string {
  const event = parsed(line);
  if (!isObject(event)) return line;
  const data = isObject(event.data) ? event.data : {};
  const inData = random.chance(0.8);
  const target: Members = inData ? data : event;
  const names = Object.keys(target);
  const name = names.length === 0 ? 'id' : random.pick(names);
  const value = raw(hostileValue(name, target[name], random));
  const members = names.filter((other) => other !== name).map((other) => member(other, JSON.stringify(target[other])));
  const changed = changedMembers(name, value, members, JSON.stringify(target[name]), random);
  const text = `{${changed.join(',')}}`;
  if (!inData) return text;
  const rest = Object.keys(event).filter((other) => other !== 'data');
  return `{${[...rest.map((other) => member(other, JSON.stringify(event[other]))), member('data', text)].join(',')}}`;
}

function changedMembers(name: string, value: string, rest: readonly string[], own: string, random: Random): string[] {
  switch (random.below(10)) {
    case 0:
      return [...rest];
    case 1:
      return [member(name, own), ...rest, member(name, value)];
    case 2:
      return [member(name, value), ...rest, member(name, own)];
    case 3:
      return [...rest, member(`${name}${random.pick(['', ' ', '_', '\u0000', '\ud800'])}`, own)];
    case 4: {
      const extra = random.pick([
        '__proto__',
        'constructor',
        'toString',
        'toJSON',
        'hasOwnProperty',
        '',
        'forwarded',
        'time',
      ]);
      return [...rest, member(name, own), member(extra, value)];
    }
    default:
      return [...rest, member(name, value)];
  }
}

/** Whether a line is a JSON object. */
export function isEvent(line: string): boolean {
  return isObject(parsed(line));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
