/** U1: an instant in UTC, integer milliseconds since 1970. Intervals are half-open `[start, end)`. */
export type Instant = number;

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** U1: the last instant an event may name, the last millisecond of the year 9999. */
export const LAST_INSTANT: Instant = 253_402_300_799_999;

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:([Zz])|([+-])(\d{2}):(\d{2}))$/;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/**
 * U1: reads an instant given as RFC 3339 text (any offset; digits beyond the millisecond are cut off) or as integer
 * milliseconds. Undefined for anything else, and for what lies outside 1970 to 9999.
 */
export function parseInstant(value: unknown): Instant | undefined {
  if (typeof value === 'number') {
    return Number.isInteger(value) && value >= 0 && value <= LAST_INSTANT ? value : undefined;
  }
  if (typeof value !== 'string') return undefined;
  return parseUtcMillis(value) ?? parseRfc3339(value);
}

let lastInstant: Instant = 0;
let lastInstantText = '1970-01-01T00:00:00.000Z';

/** U1: writes an instant as RFC 3339 with milliseconds and `Z`. Remembers the last one, which is often the next. */
export function formatInstant(at: Instant): string {
  if (at === lastInstant) return lastInstantText;
  lastInstantText = instantText(at);
  lastInstant = at;
  return lastInstantText;
}

function instantText(at: Instant): string {
  const day = Math.floor(at / DAY_MS);
  const rest = at - day * DAY_MS;
  const hour = Math.floor(rest / HOUR_MS);
  const minute = Math.floor(rest / MINUTE_MS) % 60;
  const second = Math.floor(rest / SECOND_MS) % 60;
  return `${dayText(day)}T${pad2(hour)}:${pad2(minute)}:${pad2(second)}.${pad3(rest % SECOND_MS)}Z`;
}

/** R8: the calendar month of an instant, `2026-05`. */
export function monthOf(at: Instant): string {
  return dayText(Math.floor(at / DAY_MS)).slice(0, 7);
}

/** R8: the first instant after a month `2026-05`. */
export function monthEnd(month: string): Instant {
  const year = Number(month.slice(0, 4));
  const index = Number(month.slice(5, 7));
  return index === 12 ? daysFromCivil(year + 1, 1, 1) * DAY_MS : daysFromCivil(year, index + 1, 1) * DAY_MS;
}

/** R8: the first instant of a month `2026-05`. */
export function monthStart(month: string): Instant {
  return daysFromCivil(Number(month.slice(0, 4)), Number(month.slice(5, 7)), 1) * DAY_MS;
}

/** Reads the one form that every output has, `2026-05-04T10:00:00.000Z`, without a regular expression. */
function parseUtcMillis(text: string): Instant | undefined {
  if (text.length !== 24 || text[10] !== 'T' || text[13] !== ':' || text[16] !== ':') return undefined;
  if (text[19] !== '.' || text[23] !== 'Z') return undefined;
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  const millis = digits(text, 20, 23);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || millis < 0) return undefined;
  const day = dayOf(text.slice(0, 10));
  if (day === undefined) return undefined;
  return bounded(day * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + millis);
}

function parseRfc3339(text: string): Instant | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const day = dayOf(`${match[1]}-${match[2]}-${match[3]}`);
  const hour = Number(match[4]);
  const minute = Number(match[5]);
  const second = Number(match[6]);
  if (day === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  const millis = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const offsetHours = Number(match[10] ?? 0);
  const offsetMinutes = Number(match[11] ?? 0);
  if (offsetHours > 23 || offsetMinutes > 59) return undefined;
  const offset = (match[9] === '-' ? -1 : 1) * (offsetHours * HOUR_MS + offsetMinutes * MINUTE_MS);
  return bounded(day * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + millis - offset);
}

function bounded(at: number): Instant | undefined {
  return at >= 0 && at <= LAST_INSTANT ? at : undefined;
}

/** The number that the decimal digits in `[from, to)` write, or -1 if one of them is no digit. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let index = from; index < to; index += 1) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

let lastParsedText = '1970-01-01';
let lastParsedDay = 0;

/** Days since 1970 of `2026-05-04`; undefined if there is no such day. Remembers the last answer, which is the next one's too. */
function dayOf(text: string): number | undefined {
  if (text === lastParsedText) return lastParsedDay;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  if (text[4] !== '-' || text[7] !== '-' || year < 0 || month < 1 || month > 12 || day < 1) return undefined;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > (DAYS_IN_MONTH[month - 1] ?? 0) + (month === 2 && leap ? 1 : 0)) return undefined;
  lastParsedDay = daysFromCivil(year, month, day);
  lastParsedText = text;
  return lastParsedDay;
}

let lastFormattedDay = 0;
let lastFormattedText = '1970-01-01';

function dayText(day: number): string {
  if (day === lastFormattedDay) return lastFormattedText;
  lastFormattedText = civilFromDays(day);
  lastFormattedDay = day;
  return lastFormattedText;
}

/** Days since 1970 of a proleptic Gregorian date; the year is counted from March so that the leap day comes last. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function civilFromDays(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${String(year).padStart(4, '0')}-${pad2(month)}-${pad2(day)}`;
}

function pad2(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

function pad3(value: number): string {
  return value < 10 ? `00${value}` : value < 100 ? `0${value}` : `${value}`;
}
