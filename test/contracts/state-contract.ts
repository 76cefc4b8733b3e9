import fc from 'fast-check';
import { expect } from 'vitest';
import {
  type Commit,
  type Fence,
  FencedError,
  isStateError,
  STATE_PAGE_MAX,
  type StateErrorCode,
  type StateStore,
  type Timer,
} from '../../platform/state/port.ts';
import { type ContractCase, CUT_AFTER_TURNS, type Disposable, promiseTurns } from './contract.ts';

export interface StateHarness extends Disposable {
  /** Opens the store on this harness's storage, which outlives it. */
  open(): Promise<StateStore>;
  /** Ends the process that holds the store, as abruptly as the harness can; `open` is the restart. */
  cut(): Promise<void>;
}

const SCOPE = 'rater/0';
const SEED = 20_261_101;

/** Texts that stores have mixed up, cut or lost. */
const HOSTILE = [
  '__proto__',
  'constructor',
  'a',
  'a/b',
  'a/',
  '/a',
  'a:b',
  'a\u0000b',
  'a\u0000',
  '\u0000',
  '{p0}',
  ' ',
  'A',
  'é',
  'e\u0301',
  '\ud800',
  '\udfff',
  '\ud800\udc00',
  '\udc00\ud800',
  '\ufffd',
  '\uffff',
  '\u{1f600}',
  '\u00ed\u00a0\u0080',
  'x'.repeat(600),
  `${'x'.repeat(599)}y`,
  '\uffff'.repeat(600),
  '\ud800'.repeat(600),
];

/** Single units, halves of pairs too, at the edges of every encoding. */
const HARD_UNITS = 'ab/:\u0000\ud800\udc00\ud83d\ude00\uffffé\u07ff\u0800\u007f'.split('');

/** What every state store does, whatever it is made of. */
export const STATE_CONTRACT: readonly ContractCase<StateHarness>[] = [
  {
    title: 'a claim raises the epoch, for ever, and tells the checkpoint',
    run: async (harness) => {
      const store = await harness.open();
      expect(await store.claim(SCOPE)).toMatchObject({
        fence: { epoch: 1, nextOffset: undefined },
        checkpoint: undefined,
      });
      const { fence } = await store.claim(SCOPE);
      expect(fence.epoch).toBe(2);
      const next = { nextOffset: 7, version: '3', meta: '{"a":"\\ud800 é"}' };
      expect(await store.commit(SCOPE, fence, { ...nothing(7), next })).toMatchObject({ epoch: 2, nextOffset: 7 });
      expect((await store.claim('rater/1')).fence.epoch).toBe(1);
      await harness.cut();
      const again = await harness.open();
      expect(await again.claim(SCOPE)).toMatchObject({ fence: { epoch: 3, nextOffset: 7 }, checkpoint: next });
    },
  },
  {
    title: 'a commit sets absolute values, and a load gives whole hashes',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const first = await store.commit(SCOPE, fence, {
        ...nothing(1),
        writes: [
          ['acme', 'balance', '10'],
          ['acme', 'empty', ''],
          ['beta', 'balance', '\ud800 \u0000 \u{1f600}'],
          ['acme', 'balance', '11'],
        ],
      });
      expect(plain(await store.load(SCOPE, first, ['beta', 'nobody', 'acme', 'acme']))).toEqual({
        acme: { balance: '11', empty: '' },
        beta: { balance: '\ud800 \u0000 \u{1f600}' },
      });
      const second = await store.commit(SCOPE, first, { ...nothing(2), writes: [['acme', 'balance', '12']] });
      expect(plain(await store.load(SCOPE, second, ['acme']))).toEqual({ acme: { balance: '12', empty: '' } });
      expect(await store.load(SCOPE, second, [])).toEqual(new Map());
    },
  },
  {
    title: 'null deletes a field, and a hash without fields is no more',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const first = await store.commit(SCOPE, fence, {
        ...nothing(1),
        writes: [
          ['a', 'x', '1'],
          ['a', 'y', '2'],
          ['b', 'x', '1'],
          ['c', 'x', null],
          ['d', 'x', '1'],
          ['d', 'x', null],
        ],
      });
      expect(await store.scan(SCOPE, { limit: 10 })).toEqual(['a', 'b']);
      const second = await store.commit(SCOPE, first, {
        ...nothing(2),
        writes: [
          ['a', 'x', null],
          ['b', 'x', null],
          ['b', 'never', null],
        ],
      });
      expect(plain(await store.load(SCOPE, second, ['a', 'b', 'c', 'd']))).toEqual({ a: { y: '2' } });
      expect(await store.scan(SCOPE, { limit: 10 })).toEqual(['a']);
      const third = await store.commit(SCOPE, second, { ...nothing(3), writes: [['b', 'z', '9']] });
      expect(plain(await store.load(SCOPE, third, ['b']))).toEqual({ b: { z: '9' } });
    },
  },
  {
    title: 'keys are dropped whole before the writes of the same step',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const first = await store.commit(SCOPE, fence, {
        ...nothing(1),
        writes: ['a', 'b', 'c'].flatMap((key) => ['x', 'y', 'z'].map((field) => [key, field, '1'] as const)),
      });
      const second = await store.commit(SCOPE, first, {
        ...nothing(2),
        dropKeys: ['a', 'b', 'nobody', 'a'],
        writes: [
          ['a', 'y', '2'],
          ['b', 'x', null],
        ],
      });
      expect(plain(await store.load(SCOPE, second, ['a', 'b', 'c']))).toEqual({
        a: { y: '2' },
        c: { x: '1', y: '1', z: '1' },
      });
      expect(await store.scan(SCOPE, { limit: 10 })).toEqual(['a', 'c']);
    },
  },
  {
    title: 'fenced by epoch: a zombie neither writes nor reads',
    run: async (harness) => {
      const { store, fence: zombie } = await claimed(harness);
      const { fence } = await store.claim(SCOPE);
      await zombieIsRefused(store, zombie, fence);
      const after = await store.commit(SCOPE, fence, { ...nothing(5), writes: [['a', 'x', '1']], timers: [['t', 1]] });
      await zombieIsRefused(store, { ...zombie, nextOffset: 5 }, after);
      await zombieIsRefused(store, { ...after, epoch: zombie.epoch }, after);
      expect(plain(await store.load(SCOPE, after, ['a']))).toEqual({ a: { x: '1' } });
      expect(await store.due(SCOPE, after, 9, 9)).toEqual([{ member: 't', at: 1 }]);
    },
  },
  {
    title: 'fenced by offset: a step or a load from an older checkpoint is refused',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const first = await store.commit(SCOPE, fence, { ...nothing(5), writes: [['a', 'x', '1']], timers: [['t', 1]] });
      await zombieIsRefused(store, fence, first);
      await zombieIsRefused(store, { ...first, nextOffset: 4 }, first);
      await zombieIsRefused(store, { ...first, nextOffset: 0 }, first);
      await zombieIsRefused(store, { ...first, nextOffset: undefined }, first);
      await zombieIsRefused(store, { ...first, epoch: fence.epoch + 1 }, first);
      expect(plain(await store.load(SCOPE, first, ['a', 'zombie']))).toEqual({ a: { x: '1' } });
      expect(await store.due(SCOPE, first, 100, 9)).toEqual([{ member: 't', at: 1 }]);
    },
  },
  {
    title: 'a scope that nobody has claimed belongs to nobody',
    run: async (harness) => {
      const store = await harness.open();
      const nobody = { epoch: 0, nextOffset: undefined };
      await zombieIsRefused(store, nobody, nobody);
      expect(await store.peek(SCOPE, ['a'])).toEqual({ checkpoint: undefined, hashes: new Map() });
      expect(await store.scan(SCOPE, { limit: 5 })).toEqual([]);
    },
  },
  {
    title: 'of two steps from one checkpoint one wins, whole, and the other leaves nothing',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const steps = ['one', 'two', 'three'].map((name) =>
        store.commit(SCOPE, fence, {
          ...nothing(5),
          writes: [
            ['winner', 'name', name],
            [name, 'x', '1'],
          ],
          timers: [[name, 1]],
        }),
      );
      const outcomes = await Promise.allSettled(steps);
      expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
      const after = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))[0] ?? fence;
      const name = (await store.load(SCOPE, after, ['winner'])).get('winner')?.get('name') ?? '';
      expect(await store.scan(SCOPE, { limit: 10 })).toEqual([name, 'winner'].sort());
      expect(await store.due(SCOPE, after, 10, 10)).toEqual([{ member: name, at: 1 }]);
    },
  },
  {
    title: 'a claim sees the step made before it, and fences the one made after it',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const step = (offset: number, from: Fence) =>
        store.commit(SCOPE, from, { ...nothing(offset), writes: [['a', 'x', `${offset}`]] });
      const before = step(5, fence);
      const claim = store.claim(SCOPE);
      const after = step(6, { epoch: fence.epoch, nextOffset: 5 });
      const outcomes = await Promise.allSettled([before, claim, after]);
      expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
      expect((await claim).checkpoint?.nextOffset).toBe(5);
      expect(plain(await store.load(SCOPE, (await claim).fence, ['a']))).toEqual({ a: { x: '5' } });
    },
  },
  {
    title: 'a step that is refused for its input leaves nothing of itself',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const good: Commit = { ...nothing(5), writes: [['a', 'x', '1']], timers: [['t', 1]] };
      const bad: Commit[] = [
        { ...good, writes: [...good.writes, ['', 'x', '1']] },
        { ...good, writes: [...good.writes, ['a', '', '1']] },
        { ...good, writes: [...good.writes, ['k'.repeat(601), 'x', '1']] },
        { ...good, writes: [...good.writes, ['a', 'f'.repeat(601), null]] },
        { ...good, dropKeys: [''] },
        { ...good, timers: [...good.timers, ['', 1]] },
        { ...good, timers: [...good.timers, ['t', -1]] },
        { ...good, timers: [...good.timers, ['t', 0.5]] },
        { ...good, next: { ...good.next, nextOffset: -1 } },
        { ...good, next: { ...good.next, nextOffset: 2 ** 53 } },
      ];
      for (const step of bad) await refused(store.commit(SCOPE, fence, step), 'StateInputInvalid');
      await refused(store.claim(''), 'StateInputInvalid');
      await refused(store.load(SCOPE, fence, ['']), 'StateInputInvalid');
      for (const limit of [0, -1, 1.5, STATE_PAGE_MAX + 1, Number.NaN]) {
        await refused(store.due(SCOPE, fence, 1, limit), 'StateInputInvalid');
        await refused(store.scan(SCOPE, { limit }), 'StateInputInvalid');
      }
      expect(await store.scan(SCOPE, { limit: 10, fence })).toEqual([]);
      expect(await store.due(SCOPE, fence, 10, 10)).toEqual([]);
      const after = await store.commit(SCOPE, fence, good);
      await refused(store.commit(SCOPE, after, nothing(4)), 'StateInputInvalid');
      expect(await store.commit(SCOPE, after, nothing(5))).toMatchObject({ epoch: after.epoch, nextOffset: 5 });
    },
  },
  {
    title: 'timers come by instant, then by member as UTF-16 text, up to and at the bound, as many as asked',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const members = ['b', 'a', '\u{1f600}', '\uffff', '\ud800', 'é', 'Z', 'a\u0000', 'ab'];
      const first = await store.commit(SCOPE, fence, {
        ...nothing(1),
        timers: [
          ...members.map((member) => [member, 100] as const),
          ['early', 0],
          ['late', Number.MAX_SAFE_INTEGER],
          ['ten', 10],
          ['nine', 9],
        ],
      });
      const sorted = [...members].sort((left, right) => (left < right ? -1 : 1)).map((member) => ({ member, at: 100 }));
      const all: Timer[] = [
        { member: 'early', at: 0 },
        { member: 'nine', at: 9 },
        { member: 'ten', at: 10 },
        ...sorted,
      ];
      expect(await store.due(SCOPE, first, 100, 100)).toEqual(all);
      expect(await store.due(SCOPE, first, 99, 100)).toEqual(all.slice(0, 3));
      expect(await store.due(SCOPE, first, 0, 100)).toEqual(all.slice(0, 1));
      expect(await store.due(SCOPE, first, -1, 100)).toEqual([]);
      expect(await store.due(SCOPE, first, 100, 5)).toEqual(all.slice(0, 5));
      const late = { member: 'late', at: Number.MAX_SAFE_INTEGER };
      expect(await store.due(SCOPE, first, Number.MAX_SAFE_INTEGER, 100)).toEqual([...all, late]);
      expect(await store.due(SCOPE, first, Number.POSITIVE_INFINITY, 100)).toEqual([...all, late]);
    },
  },
  {
    title: 'a timer has one instant: the last one set',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const first = await store.commit(SCOPE, fence, {
        ...nothing(1),
        timers: [
          ['moved', 5],
          ['moved', 7],
          ['kept', 6],
          ['gone', 1],
          ['gone', null],
          ['back', null],
          ['back', 3],
        ],
      });
      expect(await store.due(SCOPE, first, 10, 10)).toEqual([
        { member: 'back', at: 3 },
        { member: 'kept', at: 6 },
        { member: 'moved', at: 7 },
      ]);
      const second = await store.commit(SCOPE, first, {
        ...nothing(2),
        timers: [
          ['moved', 2],
          ['kept', 6],
          ['back', null],
          ['never', null],
        ],
      });
      expect(await store.due(SCOPE, second, 10, 10)).toEqual([
        { member: 'moved', at: 2 },
        { member: 'kept', at: 6 },
      ]);
    },
  },
  {
    title: 'hostile texts are scopes, keys, fields, values and members like any other, and none is taken for another',
    run: async (harness) => {
      const store = await harness.open();
      const fences = new Map<string, Fence>();
      const fieldsOf = (scope: string) => (HOSTILE.indexOf(scope) < 2 ? HOSTILE : HOSTILE.slice(-3));
      for (const scope of HOSTILE) {
        const { fence } = await store.claim(scope);
        expect(fence).toMatchObject({ epoch: 1, nextOffset: undefined });
        const after = await store.commit(scope, fence, {
          ...nothing(1),
          writes: HOSTILE.flatMap((key) =>
            fieldsOf(scope).map((field) => [key, field, `${scope}|${key}|${field}`] as const),
          ),
          timers: HOSTILE.map((member, index) => [member, index]),
        });
        fences.set(scope, after);
      }
      for (const [scope, fence] of fences) {
        const hashes = await store.load(scope, fence, HOSTILE);
        expect(hashes.size).toBe(HOSTILE.length);
        for (const key of HOSTILE) {
          const wanted = new Map(fieldsOf(scope).map((field) => [field, `${scope}|${key}|${field}`]));
          expect(new Map([...(hashes.get(key) ?? [])].sort())).toEqual(new Map([...wanted].sort()));
        }
        expect(await store.due(scope, fence, 1000, 1000)).toEqual(HOSTILE.map((member, at) => ({ member, at })));
        expect(await store.scan(scope, { limit: 1000, fence })).toEqual([...HOSTILE].sort());
      }
    },
  },
  {
    title: `any run of steps leaves what a plain model holds (seed ${SEED})`,
    run: async (harness) => {
      await fc.assert(
        fc.asyncProperty(fc.integer(), stepsArbitrary(), (salt, steps) => agreesWithModel(harness, salt, steps)),
        {
          seed: SEED,
          numRuns: 40,
        },
      );
    },
  },
  {
    title: 'a scan gives every key once, in order, in pages, and is fenced if asked',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const keys = [
        ...Array.from({ length: 100 }, (_, index) => `k${index}`),
        'k',
        'k1\u0000',
        '\ud800',
        '\u{1f600}',
        '\uffff',
      ].sort();
      const after = await store.commit(SCOPE, fence, {
        ...nothing(1),
        writes: keys.flatMap((key) => [[key, 'a', '1'] as const, [key, 'b', '2'] as const]),
      });
      for (const limit of [1, 7, 105, 1000]) expect(await scanAll(store, limit, after)).toEqual(keys);
      expect(await store.scan(SCOPE, { limit: 3, after: 'k1' })).toEqual(
        keys.slice(keys.indexOf('k1') + 1).slice(0, 3),
      );
      await expect(store.scan(SCOPE, { limit: 1, fence })).rejects.toSatisfy((error) => isStateError(error, 'Fenced'));
    },
  },
  {
    title: 'a peek needs no fence, and is of one moment, also while a step is being written',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const step = (value: string, offset: number): Commit => ({
        ...nothing(offset),
        writes: Array.from({ length: 2000 }, (_, index) => [`k${index % 4}`, `f${index}`, value] as const),
      });
      let last = await store.commit(SCOPE, fence, step('1', 1));
      for (let round = 2; round < 6; round += 1) {
        let done = false;
        const commit = store.commit(SCOPE, last, step(`${round}`, round)).finally(() => {
          done = true;
        });
        for (let turn = 0; !done && turn < 10_000; turn += 1) {
          const { checkpoint, hashes } = await store.peek(SCOPE, ['k0', 'k1', 'k2', 'k3', 'nobody']);
          const values = new Set([...hashes.values()].flatMap((hash) => [...hash.values()]));
          expect([[...values], hashes.size]).toEqual([[`${checkpoint?.nextOffset}`], 4]);
          await new Promise((resolve) => setImmediate(resolve));
        }
        last = await commit;
      }
      await store.claim(SCOPE);
      expect((await store.peek(SCOPE, ['k0'])).checkpoint?.nextOffset).toBe(5);
    },
  },
  {
    title: 'scopes share nothing',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const other = await store.claim('rater/00');
      const mine = await store.commit(SCOPE, fence, {
        ...nothing(3),
        writes: [['a', 'x', 'mine']],
        timers: [['t', 1]],
      });
      expect((await store.load('rater/00', other.fence, ['a'])).size).toBe(0);
      expect(await store.due('rater/00', other.fence, 10, 10)).toEqual([]);
      const after = await store.commit('rater/00', other.fence, {
        ...nothing(9),
        dropKeys: ['a'],
        writes: [],
        timers: [['t', null]],
      });
      expect(after.nextOffset).toBe(9);
      expect(plain((await store.peek(SCOPE, ['a'])).hashes)).toEqual({ a: { x: 'mine' } });
      expect(await store.due(SCOPE, mine, 10, 10)).toHaveLength(1);
    },
  },
  {
    title: 'steps of many scopes at once all hold',
    run: async (harness) => {
      const store = await harness.open();
      const scopes = Array.from({ length: 20 }, (_, index) => `rater/${index}`);
      const claims = await Promise.all(scopes.map((scope) => store.claim(scope)));
      const run = async (scope: string, fence: Fence) => {
        let own = fence;
        for (let offset = 1; offset <= 5; offset += 1) {
          own = await store.commit(scope, own, {
            ...nothing(offset),
            writes: [['a', `f${offset}`, scope]],
            timers: [[scope, offset]],
          });
        }
        return own;
      };
      const fences = await Promise.all(
        scopes.map((scope, index) => run(scope, claims[index]?.fence ?? { epoch: 0, nextOffset: 0 })),
      );
      for (const [index, scope] of scopes.entries()) {
        const fence = fences[index] ?? { epoch: 0, nextOffset: 0 };
        const hash = (await store.load(scope, fence, ['a'])).get('a');
        expect([hash?.size, new Set(hash?.values()).has(scope)]).toEqual([5, true]);
        expect(await store.due(scope, fence, 100, 100)).toEqual([{ member: scope, at: 5 }]);
      }
    },
  },
  {
    title: 'a step of 20,000 fields and 20,000 timers is one step',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const count = 20_000;
      const after = await store.commit(SCOPE, fence, {
        ...nothing(1),
        writes: Array.from(
          { length: count },
          (_, index) => [`account-${index % 500}`, `node-${index}`, `${index}`.repeat(10)] as const,
        ),
        timers: Array.from({ length: count }, (_, index) => [`node-${index}`, index] as const),
      });
      const keys = await store.scan(SCOPE, { limit: 1000, fence: after });
      const hashes = await store.load(SCOPE, after, keys);
      expect([...hashes.values()].reduce((sum, hash) => sum + hash.size, 0)).toBe(count);
      expect(hashes.get('account-7')?.get('node-507')).toBe('507'.repeat(10));
      expect((await store.due(SCOPE, after, count, 10_000)).at(-1)).toEqual({ member: 'node-9999', at: 9999 });
    },
  },
  {
    title: 'values of a megabyte are kept',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const value = 'é1'.repeat(500_000);
      const after = await store.commit(SCOPE, fence, { ...nothing(1), writes: [['a', 'x', value]] });
      expect((await store.load(SCOPE, after, ['a'])).get('a')?.get('x') === value).toBe(true);
    },
  },
  {
    title: 'what was acknowledged is there after the process was cut off',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      await store.commit(SCOPE, fence, { ...nothing(4), writes: [['a', 'x', '1']], timers: [['t', 9]] });
      await harness.cut();
      const again = await harness.open();
      const claim = await again.claim(SCOPE);
      expect(claim.checkpoint?.nextOffset).toBe(4);
      expect(plain(await again.load(SCOPE, claim.fence, ['a']))).toEqual({ a: { x: '1' } });
      expect(await again.due(SCOPE, claim.fence, 9, 9)).toEqual([{ member: 't', at: 9 }]);
      const next = await again.commit(SCOPE, claim.fence, { ...nothing(5), writes: [['b', 'x', '2']] });
      expect(plain(await again.load(SCOPE, next, ['a', 'b']))).toEqual({ a: { x: '1' }, b: { x: '2' } });
    },
  },
  {
    title: 'a step that was cut off is there whole or not at all',
    run: async (harness) => {
      const count = 1000;
      for (const [round, turns] of CUT_AFTER_TURNS.entries()) {
        const { store, fence } = await claimed(harness);
        const nextOffset = (fence.nextOffset ?? 0) + 1 + round;
        const writes = Array.from(
          { length: count },
          (_, index) => [`k${index % 50}`, `f${index}`, `${nextOffset}`] as const,
        );
        const timers = Array.from({ length: count }, (_, index) => [`t${index}`, nextOffset] as const);
        const cutOff = store.commit(SCOPE, fence, { ...nothing(nextOffset), writes, timers }).catch(() => undefined);
        await promiseTurns(turns);
        await harness.cut();
        await cutOff;
        const again = await harness.open();
        const claim = await again.claim(SCOPE);
        const held = claim.checkpoint?.nextOffset;
        expect([fence.nextOffset, nextOffset]).toContain(held);
        const hashes = await again.load(
          SCOPE,
          claim.fence,
          Array.from({ length: 50 }, (_, index) => `k${index}`),
        );
        const values = [...hashes.values()].flatMap((hash) => [...hash.values()]);
        const due = await again.due(SCOPE, claim.fence, Number.MAX_SAFE_INTEGER, 10_000);
        const whole = held === undefined ? [] : [held];
        expect([[...new Set(values)], [...new Set(due.map(({ at }) => at))]]).toEqual([whole.map(String), whole]);
        expect([values.length, due.length]).toEqual([count * whole.length, count * whole.length]);
        await harness.cut();
      }
    },
  },
  {
    title: 'closing finishes what was begun and refuses the rest',
    run: async (harness) => {
      const { store, fence } = await claimed(harness);
      const begun = store.commit(SCOPE, fence, nothing(1));
      await store.close();
      expect(await begun).toMatchObject({ epoch: 1, nextOffset: 1 });
      await refused(store.claim(SCOPE), 'StateClosed');
      await refused(store.load(SCOPE, await begun, []), 'StateClosed');
      await refused(store.peek(SCOPE, []), 'StateClosed');
      await refused(store.commit(SCOPE, await begun, nothing(2)), 'StateClosed');
      await store.close();
    },
  },
];

function nothing(nextOffset: number): Commit {
  return { next: { nextOffset, version: '1', meta: '{}' }, writes: [], timers: [] };
}

async function claimed(harness: StateHarness): Promise<{ store: StateStore; fence: Fence }> {
  const store = await harness.open();
  return { store, fence: (await store.claim(SCOPE)).fence };
}

function plain(hashes: ReadonlyMap<string, ReadonlyMap<string, string>>): Record<string, Record<string, string>> {
  return Object.fromEntries([...hashes].map(([key, hash]) => [key, Object.fromEntries(hash)]));
}

async function scanAll(store: StateStore, limit: number, fence: Fence): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const after = keys.at(-1);
    const page = await store.scan(SCOPE, after === undefined ? { limit, fence } : { limit, fence, after });
    if (page.length === 0) return keys;
    keys.push(...page);
  }
}

async function zombieIsRefused(store: StateStore, zombie: Fence, owner: Fence): Promise<void> {
  const step: Commit = { ...nothing(99), writes: [['zombie', 'x', '1']], timers: [['zombie', 1]] };
  const attempts = [
    () => store.commit(SCOPE, zombie, step),
    () => store.load(SCOPE, zombie, ['a']),
    () => store.due(SCOPE, zombie, 100, 10),
    () => store.scan(SCOPE, { limit: 10, fence: zombie }),
  ];
  for (const attempt of attempts) {
    await expect(attempt()).rejects.toSatisfy((error) => {
      if (!(error instanceof FencedError)) return false;
      expect([error.code, error.scope, error.expected, error.found]).toEqual(['Fenced', SCOPE, zombie, owner]);
      return true;
    });
  }
}

async function refused(action: Promise<unknown>, code: StateErrorCode): Promise<void> {
  await expect(action).rejects.toSatisfy((error) => isStateError(error, code), code);
}

type ModelStep = Pick<Commit, 'writes' | 'timers'> & { readonly dropKeys: readonly string[] };

function stepsArbitrary(): fc.Arbitrary<ModelStep[]> {
  const unit = fc.oneof(
    fc.constantFrom(...HARD_UNITS),
    fc.nat(0xffff).map((code) => String.fromCharCode(code)),
  );
  const text = fc.oneof(
    fc.array(unit, { minLength: 1, maxLength: 3 }).map((units) => units.join('')),
    fc.constantFrom('a', 'ab', 'b', '/'),
    fc.tuple(unit, fc.integer({ min: 590, max: 600 })).map(([one, count]) => one.repeat(count)),
  );
  const value = fc.option(
    fc.array(unit, { maxLength: 4 }).map((units) => units.join('')),
    { freq: 3 },
  );
  const write = fc.tuple(text, text, value);
  const timer = fc.tuple(text, fc.option(fc.oneof(fc.nat(3), fc.maxSafeNat()), { freq: 3 }));
  const step = fc.record({
    writes: fc.array(write, { maxLength: 12 }),
    timers: fc.array(timer, { maxLength: 8 }),
    dropKeys: fc.array(text, { maxLength: 2 }),
  });
  return fc.array(step, { minLength: 1, maxLength: 6 });
}

/** Runs the steps on the store and on Maps, in a scope of their own, and compares all that can be seen. */
async function agreesWithModel(harness: StateHarness, salt: number, steps: readonly ModelStep[]): Promise<void> {
  await harness.cut();
  const store = await harness.open();
  const scope = `model/${salt}`;
  let { fence } = await store.claim(scope);
  const hashes = new Map<string, Map<string, string>>();
  const timers = new Map<string, number>();
  const everSeen = new Set<string>();
  for (const dead of await store.scan(scope, { limit: 10_000 })) everSeen.add(dead);
  const left = await store.due(scope, fence, Number.MAX_SAFE_INTEGER, 10_000);
  const wipe = {
    ...nothing(fence.nextOffset ?? 0),
    dropKeys: [...everSeen],
    timers: left.map(({ member }) => [member, null] as const),
  };
  fence = await store.commit(scope, fence, wipe);
  for (const step of steps) {
    fence = await store.commit(scope, fence, { ...nothing((fence.nextOffset ?? 0) + 1), ...step });
    for (const key of step.dropKeys) hashes.delete(key);
    for (const [key, field, value] of step.writes) {
      everSeen.add(key);
      const hash = hashes.get(key) ?? new Map<string, string>();
      hashes.set(key, hash);
      if (value === null) hash.delete(field);
      else hash.set(field, value);
      if (hash.size === 0) hashes.delete(key);
    }
    for (const [member, at] of step.timers) {
      if (at === null) timers.delete(member);
      else timers.set(member, at);
    }
    const loaded = await store.load(scope, fence, [...everSeen]);
    expect(sortedEntries(loaded)).toEqual(sortedEntries(hashes));
    expect(await store.scan(scope, { limit: 10_000 })).toEqual([...hashes.keys()].sort());
    const order = [...timers].map(([member, at]) => ({ member, at }));
    order.sort((one, two) => one.at - two.at || (one.member < two.member ? -1 : 1));
    expect(await store.due(scope, fence, Number.MAX_SAFE_INTEGER, 10_000)).toEqual(order);
  }
}

function sortedEntries(hashes: ReadonlyMap<string, ReadonlyMap<string, string>>): string[] {
  return [...hashes].flatMap(([key, hash]) => [...hash].map((entry) => JSON.stringify([key, ...entry]))).sort();
}
