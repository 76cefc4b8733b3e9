const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const BRACKET = 0x5b;
const BRACKET_END = 0x5d;
const BRACE = 0x7b;
const BRACE_END = 0x7d;

/** What `measure` found: how many values a text holds at most, or which bound it passed first. */
export type Measured =
  | { readonly kind: 'measured'; readonly values: number }
  | { readonly kind: 'too_deep' | 'too_many' };

/**
 * Looks at a JSON text before it is parsed: nesting and the number of values decide what parsing it costs (a megabyte of
 * `[` is thirty megabytes of arrays), and who walks the value later may recurse. One pass, no recursion; a text that is no
 * JSON is measured too, and left to the parser to refuse.
 */
export function measure(text: string, depthMax: number, valuesMax: number): Measured {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case COMMA:
        values += 1;
        break;
      case BRACKET:
      case BRACE:
        depth += 1;
        values += 1;
        if (depth > depthMax) return { kind: 'too_deep' };
        break;
      case BRACKET_END:
      case BRACE_END:
        depth -= 1;
        break;
    }
    if (values > valuesMax) return { kind: 'too_many' };
  }
  return { kind: 'measured', values };
}

/**
 * The texts of the elements of a JSON array, as they stand there, up to one more than `most`; undefined if the text is no
 * array by its brackets. An element itself need not be JSON.
 */
export function elementsOf(text: string, most: number): readonly string[] | undefined {
  const array = text.trim();
  if (!array.startsWith('[') || !array.endsWith(']')) return undefined;
  const elements: string[] = [];
  let depth = 0;
  let from = 1;
  for (let at = 0; at < array.length; at += 1) {
    switch (array.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(array, at);
        break;
      case COMMA:
        if (depth === 1) {
          elements.push(array.slice(from, at).trim());
          from = at + 1;
          if (elements.length > most) return elements;
        }
        break;
      case BRACKET:
      case BRACE:
        depth += 1;
        break;
      case BRACKET_END:
      case BRACE_END:
        depth -= 1;
        if (depth === 0 && at !== array.length - 1) return undefined;
        break;
    }
  }
  if (depth !== 0) return undefined;
  const last = array.slice(from, -1).trim();
  return elements.length === 0 && last === '' ? [] : [...elements, last];
}

/** Where the string that begins at `from` ends: its closing quote, or the text's end if there is none. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) return at;
    at += char === BACKSLASH ? 2 : 1;
  }
  return text.length;
}
