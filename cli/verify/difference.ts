import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** Where two files part: the first line, from 1, that is not the same in both. */
export interface Difference {
  readonly line: number;
  /** Undefined: the file has no such line. */
  readonly left: string | undefined;
  readonly right: string | undefined;
}

/** The first difference of two text files, line by line, in flat memory; undefined if there is none. */
export async function differenceOf(leftPath: string, rightPath: string): Promise<Difference | undefined> {
  const [left, right] = [leftPath, rightPath].map((path) =>
    createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator](),
  );
  if (left === undefined || right === undefined) return undefined;
  try {
    for (let line = 1; ; line += 1) {
      const [ours, theirs] = await Promise.all([left.next(), right.next()]);
      if (ours.done === true && theirs.done === true) return undefined;
      if (ours.done !== theirs.done || ours.value !== theirs.value) {
        return {
          line,
          left: ours.done === true ? undefined : ours.value,
          right: theirs.done === true ? undefined : theirs.value,
        };
      }
    }
  } finally {
    await left.return?.();
    await right.return?.();
  }
}
