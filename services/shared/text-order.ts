/** Orders ids as text (by UTF-16 code unit, never by locale): negative, 0 or positive, as `Array.prototype.sort` wants it. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
