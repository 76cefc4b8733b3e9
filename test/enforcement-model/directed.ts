/** A history that is directed at one thing, which random ones seldom reach. */
export interface Directed {
  readonly title: string;
  readonly lines: readonly string[];
  /** What it comes to, so that it is known to get there: command, alert or scope, and the attempt where it is not the first. */
  readonly sees: string;
}

/** One unit before an edge, on it, and one after. */
export function around(title: string, make: (delta: number) => Omit<Directed, 'title'>): Directed[] {
  return [-1, 0, 1].map((delta) => ({ title: `${title} (${delta})`, ...make(delta) }));
}
