import { generateHistory, type HistoryOptions } from '../../histories/history.ts';

/**
 * The histories of several seeds as one log, in order of time; each has its own accounts (`<account>.<seed>`), all share
 * prices. Lines that are no JSON, or have no time, stay behind the line they came after.
 */
export function mergedHistories(seeds: readonly number[], options: HistoryOptions = {}): readonly string[] {
  const entries = seeds.flatMap((seed, history) => {
    let at = 0;
    return generateHistory(seed, options).lines.map((line, index) => {
      const parsed = parsedLine(line);
      const time = parsed === undefined ? undefined : timeOf(parsed);
      at = Math.max(at, time ?? at);
      return { text: parsed === undefined ? line : ownAccount(line, parsed, seed), at, history, index };
    });
  });
  entries.sort((left, right) => left.at - right.at || left.history - right.history || left.index - right.index);
  return entries.map(({ text }) => text);
}

function parsedLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function timeOf({ time }: Record<string, unknown>): number | undefined {
  const at = typeof time === 'string' ? Date.parse(time) : time;
  return typeof at === 'number' && Number.isFinite(at) ? at : undefined;
}

/** Replaced in the text, for a value written anew would lose what is odd about it. */
function ownAccount(line: string, { subject, source, id }: Record<string, unknown>, seed: number): string {
  const own =
    typeof subject === 'string' ? line.replaceAll(JSON.stringify(subject), JSON.stringify(`${subject}.${seed}`)) : line;
  if (typeof subject === 'string' || typeof source !== 'string' || typeof id !== 'string') return own;
  return own.replace(`"${id}"`, `"${id}.${seed}"`);
}
