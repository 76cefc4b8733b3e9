import type { Random } from './random.ts';

/** An event before it is written down: `at` is its time, `data` may hold instants wrapped by `instant`. */
export interface Draft {
  at: number;
  type: string;
  subject?: string;
  source?: string;
  id?: string;
  data: Data;
  /** Other members of the envelope. */
  extra?: Data;
}

export type Data = Record<string, unknown>;

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** An instant in `data`, written in one of the forms of U1 when the line is made. */
export interface Instant {
  readonly instantMs: number;
}

export function instant(ms: number): Instant {
  return { instantMs: ms };
}

/** The line of a draft. Forms of times, and the order of members, are chosen at random. */
export function writeLine(draft: Draft, random: Random): string {
  const { type, subject, source = 'ops', id = '', data, extra = {} } = draft;
  const members: [string, unknown][] = [
    ['specversion', '1.0'],
    ['id', id],
    ['source', source],
    ['type', type],
    ...(subject === undefined ? [] : [['subject', subject] as [string, unknown]]),
    ['time', writeTime(draft.at, random)],
    ['data', writeTimes(data, random)],
    ...Object.entries(extra),
  ];
  if (random.chance(0.1)) members.reverse();
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}

/** `data` with every instant written. Keys like `__proto__` stay keys. */
export function writeTimes(data: Data, random: Random): Data {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, isInstant(value) ? writeTime(value.instantMs, random) : value]),
  );
}

export function isInstant(value: unknown): value is Instant {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'instantMs');
}

/** U1: one instant in one of its forms. */
export function writeTime(ms: number, random: Random): string | number {
  const plain = isoTime(ms);
  return random.weighted<() => string | number>([
    [12, () => plain],
    [2, () => ms],
    [1, () => isoTime(ms + 2 * hour).replace('Z', '+02:00')],
    [1, () => isoTime(ms - 9.5 * hour).replace('Z', '-09:30')],
    [1, () => plain.replace('Z', '999999Z')],
    [1, () => plain.replace('.000Z', 'Z').toLowerCase()],
  ])();
}

/** RFC 3339 with milliseconds and Z. The dates of histories lie between 2001 and 2099, where this calendar is exact. */
export function isoTime(ms: number): string {
  const two = (n: number, width = 2) => String(n).padStart(width, '0');
  let days = Math.floor(ms / day);
  let year = 1970;
  while (days >= yearDays(year)) days -= yearDays(year++);
  let month = 1;
  while (days >= monthDays(year, month)) days -= monthDays(year, month++);
  const rest = ms - Math.floor(ms / day) * day;
  const clock = [Math.floor(rest / hour), Math.floor(rest / minute) % 60, Math.floor(rest / second) % 60]
    .map((n) => two(n))
    .join(':');
  return `${year}-${two(month)}-${two(days + 1)}T${clock}.${two(rest % 1000, 3)}Z`;
}

/** The instant at which a month of 2026 begins; months past December run into the next year. */
export function monthStart(month: number): number {
  let days = 0;
  for (let year = 1970; year < 2026; year++) days += yearDays(year);
  for (let m = 1; m < month; m++) days += monthDays(2026 + Math.floor((m - 1) / 12), ((m - 1) % 12) + 1);
  return days * day;
}

function yearDays(year: number): number {
  return year % 4 === 0 ? 366 : 365;
}

function monthDays(year: number, month: number): number {
  return month === 2 ? yearDays(year) - 337 : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

const nanosPerUsd = 1_000_000_000n;

/** Nanos (not negative) as an input amount: the shortest decimal string, or with all nine places. */
export function writeUsd(nanos: bigint, random: Random): string {
  const full = `${nanos / nanosPerUsd}.${(nanos % nanosPerUsd).toString().padStart(9, '0')}`;
  return random.chance(0.2) ? full : full.replace(/\.?0+$/, '');
}
