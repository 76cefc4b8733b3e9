import { generateHistory } from '../histories/history.ts';
import { isEvent, spoilt } from './hostile-line.ts';
import type { Random } from './random.ts';

/** One line of a hostile file: bytes without a line end, and whether they were tampered with. */
export interface HostileLine {
  readonly bytes: Buffer;
  readonly hostile: boolean;
}

/** A file of hostile lines among honest ones. */
export interface HostileFile {
  readonly lines: readonly HostileLine[];
  readonly bytes: Buffer;
}

const LF = Buffer.from('\n');
const CRLF = Buffer.from('\r\n');

/** A history of which some lines are spoilt at the level of bytes, of tokens or of their structure. */
export function hostileFile(random: Random): HostileFile {
  const { lines } = generateHistory(random.below(2 ** 31), { stepsMax: 14, noise: 0.1 });
  const honest = lines.filter(isEvent);
  const made: HostileLine[] = [];
  for (const line of honest) {
    // What comes first opens accounts and sets prices: without it everything else would be turned away at one check.
    const early = made.length < 4;
    if (early || random.chance(0.5)) made.push({ bytes: Buffer.from(line), hostile: false });
    if (!early || random.chance(0.2)) made.push({ bytes: spoilt(line, honest, random), hostile: true });
  }
  const kept = made.filter(({ bytes }) => !bytes.includes(0x0a));
  const ends = random.chance(0.2) ? [CRLF, LF] : [LF];
  const parts = kept.flatMap(({ bytes }) => [bytes, random.pick(ends)]);
  if (random.chance(0.1)) parts.pop();
  return { lines: kept, bytes: Buffer.concat(parts) };
}
