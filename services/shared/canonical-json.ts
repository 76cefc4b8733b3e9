import { createHash } from 'node:crypto';

/**
 * A text that is the same for two JSON values exactly when they are the same value: members in the order of their names,
 * no white space. Nesting is bounded by whoever parsed the value.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}

/** E3: a short text (128 bits of SHA-256) that stands for an event's content; a pure function of the value. */
export function fingerprint(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url').slice(0, 22);
}

/** SHA-256 of a text, in hex: what a final invoice is known by. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
