/** One line of the table of results. */
export interface Result {
  readonly claim: string;
  readonly value: string;
  /** What is aimed at; empty where the figure only explains another. */
  readonly aim: string;
}

/** The middle one; the mean of the two in the middle where their number is even; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const half = sorted.length >> 1;
  const above = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? above : (above + (sorted[half - 1] ?? Number.NaN)) / 2;
}

/** How many of `count` things were done in a second. */
export function perSecond(count: number, work: () => void): number {
  const begun = process.hrtime.bigint();
  work();
  return count / (Number(process.hrtime.bigint() - begun) / 1e9);
}
