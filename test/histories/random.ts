/** A small deterministic source of choices: the same seed gives the same choices for ever (sfc32). */
export interface Random {
  /** An integer in `[least, most]`. */
  int(least: number, most: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** One of a list that is not empty. */
  pick<T>(choices: readonly [T, ...T[]]): T;
  /** One of a list, or undefined of an empty one. */
  any<T>(choices: readonly T[]): T | undefined;
  /** One of the weighted choices; the weights are integers that do not add up to 0. */
  weighted<T>(choices: readonly (readonly [number, T])[]): T;
}

export function randomFrom(seed: number): Random {
  let [a, b, c, counter] = [seed | 0, (seed / 2 ** 32) | 0, 0x9e3779b9 | 0, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let warmUp = 0; warmUp < 15; warmUp++) next();
  const int = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  const any = <T>(choices: readonly T[]) => (choices.length === 0 ? undefined : choices[int(0, choices.length - 1)]);
  return {
    int,
    any,
    chance: (probability) => next() < probability,
    pick: (choices) => any(choices) ?? choices[0],
    weighted: (choices) => {
      let left = int(
        1,
        choices.reduce((sum, [weight]) => sum + weight, 0),
      );
      for (const [weight, choice] of choices) {
        left -= weight;
        if (left <= 0) return choice;
      }
      throw new Error('a weighted choice without weights');
    },
  };
}
