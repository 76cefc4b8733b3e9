import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openRedis } from '../../../platform/redis/connection.ts';
import type { StateStore } from '../../../platform/state/port.ts';
import { openRedisState, redisStateOn } from '../../../platform/state/redis-state.ts';
import { connectionOptions, TestRedis, untilItWorks } from '../redis/support.ts';
import { ALL_FENCED, outcomesOf, SCOPE, tellingStep, wholeContent } from './redis-steps.ts';

const CUTS = 65;

let server: TestRedis;
let store: StateStore;

beforeEach(async () => {
  server = await TestRedis.start();
  store = await openRedisState(connectionOptions([server]));
});

afterEach(async () => {
  await store.close();
  await server.stop();
});

it('a server that is killed under commits has the last one it acknowledged, or the next, whole', async () => {
  for (let round = 0; round < 10; round += 1) {
    let killed: Promise<void> | undefined;
    let { fence } = await untilItWorks(() => store.claim(SCOPE));
    const first = fence.nextOffset ?? 0;
    let acknowledged = first;
    const committing = (async () => {
      for (let offset = first + 1; ; offset += 1) {
        fence = await store.commit(SCOPE, fence, tellingStep(offset));
        acknowledged = offset;
        if (offset === first + 3 + round) killed = server.kill();
      }
    })();
    await expect(committing).rejects.toMatchObject({ code: 'StateWriteFailed', cause: { code: 'RedisUnreachable' } });
    await killed;
    await server.resume();
    const claim = await untilItWorks(() => store.claim(SCOPE));
    expect([acknowledged, acknowledged + 1]).toContain(claim.checkpoint?.nextOffset);
    expect(await wholeContent(store, claim.fence)).toBe(`${claim.checkpoint?.nextOffset}`);
  }
});

it(`a log of the server that is cut at any of ${CUTS} places gives a state that is whole`, async () => {
  let { fence } = await store.claim(SCOPE);
  for (let offset = 1; offset <= 20; offset += 1) fence = await store.commit(SCOPE, fence, tellingStep(offset));
  await server.kill();
  const path = await appendOnlyFile(server);
  const bytes = await readFile(path);
  const found: number[] = [];
  for (let cut = 1; cut <= CUTS; cut += 1) {
    // A stride that shares no factor with the length of an entry: heads, middles and tails of entries all come.
    await writeFile(path, bytes.subarray(0, Math.floor((bytes.length * cut) / CUTS) - (cut % 7)));
    await server.resume();
    const claim = await untilItWorks(() => store.claim(SCOPE));
    expect((await wholeContent(store, claim.fence)) ?? '0').toBe(`${claim.checkpoint?.nextOffset ?? 0}`);
    found.push(claim.checkpoint?.nextOffset ?? 0);
    await server.kill();
  }
  expect(found).toEqual([...found].sort((left, right) => left - right));
  expect(new Set(found).size).toBeGreaterThan(15);
});

it('an owner whose server lost its last writes is fenced, also where epoch and offset come to the same', async () => {
  const old = await copyOf(server);
  const { fence: first } = await store.claim(SCOPE);
  const before = await store.commit(SCOPE, first, tellingStep(5, 'mine'));
  await restore(old);
  expect(await outcomesOf(store, before, tellingStep(6))).toEqual(ALL_FENCED);

  const other = await openRedisState(connectionOptions([server]));
  const theirs = await other.commit(SCOPE, (await other.claim(SCOPE)).fence, tellingStep(5, 'theirs'));
  expect([theirs.epoch, theirs.nextOffset]).toEqual([before.epoch, before.nextOffset]);
  expect(await outcomesOf(store, before, tellingStep(6))).toEqual(ALL_FENCED);
  expect(await wholeContent(other, theirs)).toBe('theirs');
  await expect(store.load(SCOPE, before, ['a'])).rejects.toThrow(
    /epoch 1 and offset 5 of write .*found epoch 1 and offset 5 of write/,
  );
  await other.close();
});

it('an owner whose server lost a step that moved no offset is fenced', async () => {
  const { fence } = await store.claim(SCOPE);
  const known = await store.commit(SCOPE, fence, tellingStep(5, 'known'));
  const old = await copyOf(server);
  const lost = await store.commit(SCOPE, known, tellingStep(5, 'lost'));
  await restore(old);
  expect(await outcomesOf(store, lost, tellingStep(6))).toEqual(ALL_FENCED);
  const again = await store.claim(SCOPE);
  expect(await wholeContent(store, again.fence)).toBe('known');
});

it('control: were the mark not compared, such an owner would fold newer state with older records', async () => {
  const connection = await openRedis(connectionOptions([server]));
  const forgetful = redisStateOn({
    ...connection,
    evaluate: async (script, keys, args) => {
      const [stored] = await server.command(['hmget', 'tollgate:{p0}:rater:meta', 'owner', 'revision']);
      const mark = Array.isArray(stored) ? stored.join('.') : '';
      const fenced = script.includes('refusal()');
      return connection.evaluate(script, keys, fenced ? [...args.slice(0, 2), mark, ...args.slice(3)] : args);
    },
  });
  const { fence } = await forgetful.claim(SCOPE);
  const known = await forgetful.commit(SCOPE, fence, tellingStep(5, 'known'));
  const old = await copyOf(server);
  const lost = await forgetful.commit(SCOPE, known, tellingStep(5, 'lost'));
  await restore(old);
  await untilItWorks(() => forgetful.peek(SCOPE, []));
  expect(await outcomesOf(forgetful, lost, tellingStep(6))).toEqual(['done', 'done', 'done', 'done']);
  await forgetful.close();
});

async function appendOnlyFile({ directory }: TestRedis): Promise<string> {
  const folder = join(directory, 'appendonlydir');
  const [name = ''] = (await readdir(folder)).filter((file) => file.endsWith('.incr.aof'));
  return join(folder, name);
}

async function copyOf({ directory }: TestRedis): Promise<string> {
  const copy = join(directory, 'copy');
  await cp(join(directory, 'appendonlydir'), copy, { recursive: true });
  return copy;
}

/** As if a replica that was behind had taken over: the same address, an older state. The store is connected again. */
async function restore(copy: string): Promise<void> {
  await server.kill();
  const folder = join(server.directory, 'appendonlydir');
  await rm(folder, { recursive: true });
  await cp(copy, folder, { recursive: true });
  await server.resume();
  await untilItWorks(() => store.peek(SCOPE, []));
}
