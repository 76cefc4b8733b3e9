import { describe, it } from 'vitest';

/** One thing that every adapter of a port must do. `run` throws if the adapter does not. */
export interface ContractCase<Harness> {
  readonly title: string;
  readonly run: (harness: Harness) => Promise<void>;
}

/** A harness is made anew for each case, and disposed of after it. */
export interface Disposable {
  dispose(): Promise<void>;
}

/** Runs the cases as tests of one adapter. */
export function describeContract<Harness extends Disposable>(
  name: string,
  cases: readonly ContractCase<Harness>[],
  make: () => Promise<Harness>,
): void {
  describe(name, () => {
    for (const { title, run } of cases) {
      it(title, { timeout: 60_000 }, async () => {
        const harness = await make();
        try {
          await run(harness);
        } finally {
          await harness.dispose();
        }
      });
    }
  });
}

/** The titles of the cases that an adapter fails: what a planted fault is caught by. */
export async function failingCases<Harness extends Disposable>(
  cases: readonly ContractCase<Harness>[],
  make: () => Promise<Harness>,
): Promise<string[]> {
  const failed: string[] = [];
  for (const { title, run } of cases) {
    const harness = await make();
    try {
      await run(harness);
    } catch {
      failed.push(title);
    } finally {
      await harness.dispose();
    }
  }
  return failed;
}

/** After how many promise turns an unfinished call is cut off: enough for a call made of several writes to be half done. */
export const CUT_AFTER_TURNS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16];

export async function promiseTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}
