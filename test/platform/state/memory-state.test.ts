import { describe, expect, it } from 'vitest';
import { type Fault, faultsAt, SimulatedCrash, SimulatedProcess } from '../../../platform/memory/simulation.ts';
import { MemoryStateDisk, openMemoryState } from '../../../platform/state/memory-state.ts';
import { isStateError } from '../../../platform/state/port.ts';

const step = (nextOffset: number) => ({
  next: { nextOffset, version: '1', meta: '' },
  writes: [['a', 'x', `${nextOffset}`] as const],
  timers: [],
});

describe('faults of the state in memory', () => {
  it.each<[Fault['kind'], Fault['when'], string, number]>([
    ['fail', 'before', 'StateWriteFailed', 1],
    ['fail', 'after', 'StateWriteFailed', 2],
    ['crash', 'before', 'SimulatedCrash', 1],
    ['crash', 'after', 'SimulatedCrash', 2],
  ])(
    'a %s %s the second commit took effect leaves the checkpoint that a claim finds',
    async (kind, when, name, found) => {
      const disk = new MemoryStateDisk();
      const store = openMemoryState({ disk, faults: faultsAt([{ name: 'commit', nth: 2, kind, when }]) });
      const first = await store.commit('rater/0', (await store.claim('rater/0')).fence, step(1));
      await expect(store.commit('rater/0', first, step(2))).rejects.toMatchObject({ name });
      const again = openMemoryState({ disk, process: new SimulatedProcess() });
      const { fence, checkpoint } = await again.claim('rater/0');
      expect(checkpoint?.nextOffset).toBe(found);
      expect((await again.load('rater/0', fence, ['a'])).get('a')?.get('x')).toBe(`${found}`);
    },
  );

  it('a read that fails says that nothing was read', async () => {
    const faults = faultsAt([
      { name: 'load', nth: 1, kind: 'fail', when: 'before' },
      { name: 'claim', nth: 2, kind: 'crash', when: 'before' },
    ]);
    const store = openMemoryState({ faults });
    const { fence } = await store.claim('rater/0');
    const failed = store.load('rater/0', fence, ['a']);
    await expect(failed).rejects.toSatisfy((error) => isStateError(error, 'StateUnavailable'));
    expect((await store.load('rater/0', fence, ['a'])).size).toBe(0);
    await expect(store.claim('rater/0')).rejects.toThrow(SimulatedCrash);
    await expect(store.load('rater/0', fence, ['a'])).rejects.toThrow(SimulatedCrash);
  });
});
