/** How often each thing comes up: `event usage.gpu`, `reason no_price`, `category burst`, `ledger expiry`, `command pause`, `alert credits_low`. */
export type Census = Map<string, number>;

/** The files of a replay, as far as they are counted. */
export interface Counted {
  readonly rated: readonly { readonly category: string; readonly correction: boolean }[];
  readonly ledger: readonly { readonly kind: string }[];
  readonly rejected: readonly { readonly reason: string }[];
  readonly balances: readonly { readonly level: string }[];
  readonly commands?: readonly {
    readonly command: string;
    readonly alert?: string;
    readonly scope?: string;
    readonly reason: string;
    readonly attempt: number;
  }[];
}

/** Adds what a history and its output hold to `counts`. */
export function census(lines: readonly string[], output: Counted, counts: Census = new Map()): Census {
  for (const line of lines) add(counts, `event ${typeOf(line)}`);
  for (const { category, correction } of output.rated) add(counts, `category ${correction ? 'correction' : category}`);
  for (const { kind } of output.ledger) add(counts, `ledger ${kind}`);
  for (const { reason } of output.rejected) add(counts, `reason ${reason}`);
  for (const { level } of output.balances) add(counts, `level ${level}`);
  for (const { command, alert, scope, reason, attempt } of output.commands ?? []) {
    if (alert !== undefined) add(counts, `alert ${alert}`);
    else add(counts, `command ${command} ${scope} ${reason}${attempt > 1 ? ' again' : ''}`);
  }
  return counts;
}

/** The counts as lines of text, by name. */
export function printCensus(counts: Census): string {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${String(count).padStart(8)}  ${name}`)
    .join('\n');
}

function add(counts: Census, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

const type = /"type":"([a-z]+\.[a-z]+)"/;

function typeOf(line: string): string {
  return type.exec(line)?.[1] ?? 'other';
}
