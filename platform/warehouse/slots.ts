/** What a full queue throws. */
export class SlotsFullError extends Error {
  constructor(waitingMax: number) {
    super(`${waitingMax} requests wait already`);
    this.name = 'SlotsFullError';
  }
}

export type Slots = {
  /** Runs `work` as soon as one of the slots is free, in order of arrival. @throws SlotsFullError, or what work throws */
  run<T>(work: () => Promise<T>): Promise<T>;
};

/** At most `runningMax` at once and `waitingMax` in line; more are refused at once. */
export function createSlots(runningMax: number, waitingMax: number): Slots {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async run(work) {
      if (running >= runningMax) {
        if (waiting.length >= waitingMax) throw new SlotsFullError(waitingMax);
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else {
        running++;
      }
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        // the slot passes to the next in line without being free in between
        if (next === undefined) running--;
        else next();
      }
    },
  };
}
