import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Fence, isStateError, type StateStore } from '../../../platform/state/port.ts';
import { openRedisState } from '../../../platform/state/redis-state.ts';
import { connectionOptions, TestRedis } from '../redis/support.ts';
import { SCOPE, tellingStep, wholeContent } from './redis-steps.ts';

const SEED = 20_261_107;

let server: TestRedis;
let stores: StateStore[];

beforeAll(async () => {
  server = await TestRedis.start();
  stores = [];
  for (let owner = 0; owner < 2; owner += 1) stores.push(await openRedisState(connectionOptions([server])));
});

afterAll(async () => {
  for (const store of stores) await store.close();
  await server.stop();
});

const action = fc.record({
  owner: fc.nat(1),
  does: fc.constantFrom('claim', 'commit', 'commit', 'commit again', 'load', 'restart with an old fence'),
});

it(`of two owners, in any order of their calls, only the last to claim is heard (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 25 }), async (actions) => {
      await server.command(['flushall']);
      const beliefs: Fence[][] = [[], []];
      let current: Fence | undefined;
      let content: string | undefined;
      for (const [index, { owner, does }] of actions.entries()) {
        const store = stores[owner];
        const past = beliefs[owner];
        if (store === undefined || past === undefined) throw new Error('two owners');
        if (does === 'claim') {
          current = (await store.claim(SCOPE)).fence;
          past.push(current);
          continue;
        }
        const fence = (does === 'restart with an old fence' ? past.at(-2) : past.at(-1)) ?? { epoch: 1, nextOffset: 1 };
        const step = tellingStep((fence.nextOffset ?? 0) + (does === 'commit again' ? 0 : 1), `${owner} at ${index}`);
        const call =
          does === 'load' ? store.load(SCOPE, fence, ['a']).then(() => fence) : store.commit(SCOPE, fence, step);
        const after = await call.catch((error: unknown) => {
          if (isStateError(error, 'Fenced')) return undefined;
          throw error;
        });
        expect(after !== undefined).toBe(fence === current);
        if (after === undefined || after === fence) continue;
        current = after;
        past.push(after);
        content = step.next.meta;
      }
      const [reader] = stores;
      if (current !== undefined && reader !== undefined) expect(await wholeContent(reader, current)).toBe(content);
    }),
    { seed: SEED, numRuns: 150 },
  );
});
