import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DueKind } from '../../services/enforcer/core/carry-out.ts';
import { type Due, DueQueue } from '../../services/enforcer/core/due-queue.ts';
import { compareText } from '../../services/shared/text-order.ts';

const SEED = 31_337;
const KINDS: readonly DueKind[] = ['cluster', 'grant', 'reservation', 'volume'];

test(`X: what is due comes by time, account, kind and id, each subject once, where it was set last (seed ${SEED})`, () => {
  const act = fc.record({
    account: fc.constantFrom('a', 'b', '__proto__'),
    kind: fc.constantFrom(...KINDS),
    id: fc.constantFrom('1', '2', '10'),
    at: fc.option(fc.nat({ max: 20 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), fc.nat({ max: 20 }), (acts, until) => {
      const queue = new DueQueue();
      const model = new Map<string, Due>();
      for (const { account, kind, id, at } of acts) {
        queue.set(account, kind, id, at);
        const key = `${account}/${kind}/${id}`;
        if (at === undefined) model.delete(key);
        else model.set(key, { at, accountId: account, kind, id });
      }
      const sorted = [...model.values()].sort(
        (a, b) =>
          a.at - b.at ||
          compareText(a.accountId, b.accountId) ||
          compareText(a.kind, b.kind) ||
          compareText(a.id, b.id),
      );
      expect(queue.nextAt()).toBe(sorted[0]?.at);
      const taken: Due[] = [];
      for (let due = queue.take(until); due !== undefined; due = queue.take(until)) taken.push(due);
      expect(taken).toEqual(sorted.filter(({ at }) => at <= until));
      expect(queue.nextAt()).toBe(sorted.find(({ at }) => at > until)?.at);
    }),
    { seed: SEED, numRuns: 300 },
  );
});
