/** Times of the model: integer milliseconds since 1970, UTC, by a calendar counted out here (U1). */

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;
const lastInstant = 253_402_300_799_999;

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** U1: RFC 3339 with any offset, or integer ms, from 1970 to 9999; undefined for anything else. */
export function parseTime(value: unknown): number | undefined {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? parseText(value) : undefined;
  return ms !== undefined && Number.isInteger(ms) && ms >= 0 && ms <= lastInstant ? ms + 0 : undefined;
}

/** U1: RFC 3339 with milliseconds and Z. */
export function formatTime(ms: number): string {
  const date = civil(Math.floor(ms / day));
  const rest = ms - Math.floor(ms / day) * day;
  const two = (n: number) => String(n).padStart(2, '0');
  const clock = `${two(Math.floor(rest / hour))}:${two(Math.floor(rest / minute) % 60)}:${two(Math.floor(rest / 1000) % 60)}`;
  return `${String(date.year).padStart(4, '0')}-${two(date.month)}-${two(date.day)}T${clock}.${String(rest % 1000).padStart(3, '0')}Z`;
}

/** The month of an instant, as `2026-05`. */
export function monthOf(ms: number): string {
  return formatTime(ms).slice(0, 7);
}

/** The first instant after a month given as `2026-05`. */
export function monthEnd(month: string): number {
  const [year = 0, number = 0] = month.split('-').map(Number);
  return (number === 12 ? daysBefore(year + 1, 1) : daysBefore(year, number + 1)) * day;
}

function parseText(text: string): number | undefined {
  const parts = rfc3339.exec(text);
  if (parts === null) return undefined;
  const number = (index: number) => Number(parts[index] ?? '0');
  const [year, month, dayOfMonth] = [number(1), number(2), number(3)];
  if (month < 1 || month > 12 || dayOfMonth < 1 || dayOfMonth > monthDays(year, month)) return undefined;
  if (number(4) > 23 || number(5) > 59 || number(6) > 59 || number(9) > 23 || number(10) > 59) return undefined;
  const ms = Number((parts[7] ?? '').padEnd(3, '0').slice(0, 3));
  const offset = (parts[8] === '-' ? -1 : 1) * (number(9) * hour + number(10) * minute);
  const days = daysBefore(year, month) + dayOfMonth - 1;
  return days * day + number(4) * hour + number(5) * minute + number(6) * 1000 + ms - offset;
}

function leap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function monthDays(year: number, month: number): number {
  return month === 2 ? (leap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Days from 1970-01-01 to the first of a month. */
function daysBefore(year: number, month: number): number {
  const past = year - 1;
  const leapDays = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400);
  let days = year * 365 + leapDays - (1970 * 365 + 477);
  for (let m = 1; m < month; m++) days += monthDays(year, m);
  return days;
}

function civil(days: number): { year: number; month: number; day: number } {
  let year = Math.floor(1970 + days / 366);
  while (daysBefore(year + 1, 1) <= days) year++;
  let month = 1;
  while (month < 12 && daysBefore(year, month + 1) <= days) month++;
  return { year, month, day: days - daysBefore(year, month) + 1 };
}
