const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether UTF-8 can hold a text: it has no half of a surrogate pair. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** A text that is kept as it is, once it has been seen to be JSON. @throws SyntaxError */
export function oneJson(text: string): string {
  JSON.parse(text);
  return text;
}
