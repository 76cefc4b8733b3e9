import { describe, expect, test } from 'vitest';
import { chosenPartition } from '../../cli/access/partition.ts';
import { untilProcessed } from '../../cli/access/processed.ts';
import { CommandFailed } from '../../cli/failure.ts';
import { BadCall } from '../../cli/replay.ts';
import { type Peek, StateError, type StateReader } from '../../platform/state/port.ts';

/** How the stores stand at one look: undefined where nobody answers. */
type Look = { readonly rated?: number; readonly enforced?: number; readonly outbox?: number } | undefined;

/** A state that shows each look in turn, and the last of them from then on. */
function stateOf(looks: readonly Look[]): { readonly state: StateReader; readonly pause: () => Promise<void> } {
  let at = 0;
  const state: StateReader = {
    peek: async (scope): Promise<Peek> => {
      const look = looks[Math.min(at, looks.length - 1)];
      if (look === undefined) throw new StateError('StateUnavailable', scope);
      const { rated, enforced, outbox = 0 } = look;
      if (scope === 'rater/3') {
        const checkpoint = rated === undefined ? undefined : { nextOffset: rated, version: '1', meta: '' };
        return { checkpoint, hashes: new Map() };
      }
      expect(scope).toBe('enforcer/3');
      const hashes = new Map<string, Map<string, string>>();
      if (enforced !== undefined) hashes.set('partition', new Map([['events', `${enforced}`]]));
      if (outbox > 0) hashes.set('outbox', new Map(Array.from({ length: outbox }, (_, field) => [`${field}`, ''])));
      return { checkpoint: undefined, hashes };
    },
    scan: async () => [],
    close: async () => undefined,
  };
  const pause = async (): Promise<void> => {
    at += 1;
  };
  return { state, pause };
}

async function wait(offset: number, looks: readonly Look[], quietLooksMax = 3): Promise<readonly number[]> {
  const told: number[] = [];
  await untilProcessed({
    ...{ ...stateOf(looks), partition: 3, offset, quietLooksMax },
    progress: (done) => told.push(done),
  });
  return told;
}

describe('the wait for the services of a cluster', () => {
  test.each<[what: string, offset: number, looks: readonly Look[], told: readonly number[]]>([
    ['an empty log is processed at once', 0, [{}], []],
    ['what is done is not waited for', 5, [{ rated: 5, enforced: 5 }], []],
    ['the rater is waited for', 5, [{}, { rated: 4, enforced: 4 }, { rated: 5, enforced: 5 }], [0, 4]],
    [
      'the enforcer is waited for',
      5,
      [
        { rated: 9, enforced: 4 },
        { rated: 9, enforced: 5 },
      ],
      [4],
    ],
    [
      'what was decided must be published',
      5,
      [
        { rated: 9, enforced: 9, outbox: 2 },
        { rated: 9, enforced: 9 },
      ],
      [5],
    ],
    [
      'a store that is away for a moment',
      5,
      [{ rated: 1, enforced: 1 }, undefined, undefined, { rated: 5, enforced: 5 }],
      [1],
    ],
  ])('%s', async (_what, offset, looks, told) => {
    expect(await wait(offset, looks)).toEqual(told);
  });

  test('has an end only where nothing moves', async () => {
    const steps = Array.from({ length: 50 }, (_, rated) => [
      { rated, enforced: 0 },
      { rated, enforced: 0 },
    ]).flat();
    expect(await wait(40, [...steps, { rated: 50, enforced: 50 }], 2)).toHaveLength(100);
  });

  test.each<[look: Look, why: RegExp]>([
    [{}, /its rater has come to 0, .* see that a rater runs/],
    [{ rated: 4, enforced: 5 }, /its rater has come to 4, /],
    [{ rated: 5, enforced: 4 }, /its enforcer has come to 4, .* see that an enforcer runs/],
    [{ rated: 5, enforced: 5, outbox: 2 }, /its enforcer has not published 2 commands, /],
  ])('says who does not run: %j', async (look, why) => {
    const fault = await wait(5, [look]).catch((thrown: unknown) => thrown);
    expect(fault).toBeInstanceOf(CommandFailed);
    expect(fault).toMatchObject({ message: expect.stringMatching(why) });
    expect(fault).toMatchObject({ message: expect.stringMatching(/^partition 3 is not processed up to 5: /) });
  });

  test('a store that stays away is told as such', async () => {
    await expect(wait(5, [{ rated: 1 }, undefined])).rejects.toMatchObject({ name: 'StateUnavailable' });
  });
});

test.each<[named: number | undefined, partitions: number, chosen: number | RegExp]>([
  [undefined, 1, 0],
  [0, 1, 0],
  [1, 1, /^--partition 1: the log has partition 0 only$/],
  [undefined, 48, /^the log has 48 partitions: name one with --partition, 0 to 47$/],
  [0, 48, 0],
  [47, 48, 47],
  [48, 48, /^--partition 48: the log has partitions 0 to 47$/],
])('a partition is named where there are several: %s of %s', (named, partitions, chosen) => {
  if (typeof chosen === 'number') {
    expect(chosenPartition(named, partitions)).toBe(chosen);
  } else {
    expect(() => chosenPartition(named, partitions)).toThrow(BadCall);
    expect(() => chosenPartition(named, partitions)).toThrow(chosen);
  }
});
