import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LmdbEnvironment } from '../../../platform/lmdb/environment.ts';
import { openLmdbLog } from '../../../platform/log/lmdb-log.ts';
import { openLmdbState } from '../../../platform/state/lmdb-state.ts';
import { spawnChild } from './spawn-child.ts';

const KILLS = 8;
/** After how many lines each child is killed, and how large its batches are: no two rounds are cut alike. */
const ROUNDS = Array.from({ length: KILLS }, (_, round) => ({
  lines: 1 + ((round * 7) % 23),
  batchRecords: 10 ** (1 + (round % 3)),
}));

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tollgate-kill-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

interface Acknowledged {
  readonly ends: number[];
  step: number;
}

describe('kill -9', () => {
  it(`nothing acknowledged is lost and no write is half there, over ${KILLS} kills of one directory`, {
    timeout: 120_000,
  }, async () => {
    const acknowledged: Acknowledged = { ends: [0, 0], step: 0 };
    for (const [round, { lines, batchRecords }] of ROUNDS.entries()) {
      const child = spawnChild(directory, batchRecords);
      expect(await child.next()).toMatch(/^ready/);
      for (let count = 0; count < lines; count += 1) note(acknowledged, await child.next());
      for (const line of await child.kill()) note(acknowledged, line);
      await check(acknowledged, round + 1);
    }
    expect(acknowledged.step).toBeGreaterThan(0);
  });

  it('a write that the disk refuses is refused by name, ends all writing, and leaves what was acknowledged', {
    timeout: 60_000,
  }, async () => {
    const acknowledged: Acknowledged = { ends: [0, 0], step: 0 };
    const child = spawnChild(directory, 1000, 6000);
    const refusals: string[] = [];
    for (let line = await child.next(); line !== undefined && refusals.length < 3; line = await child.next()) {
      if (line.startsWith('refused')) refusals.push(line);
      else note(acknowledged, line);
      if (refusals.length === 3) break;
    }
    await child.kill();
    expect(refusals.sort()).toEqual(['refused LogWriteFailed', 'refused LogWriteFailed', 'refused StateWriteFailed']);
    await check(acknowledged, 1);
  });
});

function note(acknowledged: Acknowledged, line: string | undefined): void {
  const [kind, first, second] = (line ?? '').split(' ');
  if (kind === 'log') acknowledged.ends[Number(first)] = Number(second);
  if (kind === 'state') acknowledged.step = Number(first);
}

/** Opens what the kill left: the lock is stale and must be taken over. */
async function check(acknowledged: Acknowledged, claims: number): Promise<void> {
  const environment = await LmdbEnvironment.open({ directory });
  const topics = [{ name: 'events', partitions: 2, time: 'append' as const }];
  const log = await openLmdbLog({ environment, topics, now: () => 1000 });
  const store = openLmdbState(environment);
  try {
    for (const partition of [0, 1]) {
      const end = await log.endOffset('events', partition);
      expect(end).toBeGreaterThanOrEqual(acknowledged.ends[partition] ?? 0);
      let offset = 0;
      while (offset < end) {
        const records = await log.read('events', partition, offset, { recordsMax: 5000, bytesMax: 1e9 });
        const wrong = records.filter(
          ({ offset: at, key, value }) => key !== `k${at}` || value.toString('latin1', 0, `${at} `.length) !== `${at} `,
        );
        expect(wrong).toEqual([]);
        offset += records.length;
      }
    }
    const { checkpoint, hashes } = await store.peek(
      'rater/0',
      Array.from({ length: 10 }, (_, index) => `k${index}`),
    );
    const step = checkpoint?.nextOffset ?? 0;
    expect(step).toBeGreaterThanOrEqual(acknowledged.step);
    const values = [...hashes.values()].flatMap((hash) => [...hash.values()]);
    expect([values.length, new Set(values)]).toEqual(step === 0 ? [0, new Set()] : [300, new Set([`${step}`])]);
    const { fence } = await store.claim('rater/0-check');
    expect(fence.epoch).toBe(claims);
    const epoch = (await store.claim('rater/0')).fence;
    const timers = await store.due('rater/0', epoch, Number.MAX_SAFE_INTEGER, 1000);
    expect(new Set(timers.map(({ at }) => at))).toEqual(new Set(step === 0 ? [] : [step]));
    expect(timers).toHaveLength(step === 0 ? 0 : 100);
  } finally {
    await log.close();
    await store.close();
    await environment.close();
  }
}
