/** One line of the table of results. */
export interface Result {
  readonly claim: string;
  readonly value: string;
  /** What is aimed at; empty where the figure only explains another. */
  readonly aim: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** How many of `count` things were done in a second. */
export function perSecond(count: number, work: () => void): number {
  const begun = process.hrtime.bigint();
  work();
  return count / (Number(process.hrtime.bigint() - begun) / 1e9);
}
