const PLAIN = /^[ !#-[\]-~]*$/;

/** A text as JSON; printable ASCII without quote or backslash, as nearly all of them are, needs no escaping. */
export function jsonText(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}
