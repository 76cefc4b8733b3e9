/** The members of a JSON object as a map (ids may be `__proto__`), or undefined for any other value. */
export function members(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value));
}

/** E3: equality of JSON values; the order of an object's members does not matter. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  }
  const left = members(a);
  const right = members(b);
  if (left === undefined || right === undefined) return left === right && a === b;
  return (
    left.size === right.size && [...left].every(([name, item]) => right.has(name) && sameJson(item, right.get(name)))
  );
}
