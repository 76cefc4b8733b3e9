import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRedis } from '../../../platform/redis/connection.ts';
import { redisStateOn } from '../../../platform/state/redis-state.ts';
import { failingCases } from '../../contracts/contract.ts';
import { STATE_CONTRACT, type StateHarness } from '../../contracts/state-contract.ts';
import { connectionOptions, TestRedis } from '../redis/support.ts';

const BY_EPOCH = 'fenced by epoch: a zombie neither writes nor reads';
const DELETED = 'null deletes a field, and a hash without fields is no more';

/** Scripts that are wrong in one thing each: what they say, what they say instead, and the case that tells. */
const PLANTED: readonly (readonly [fault: string, from: string, to: string, caughtBy: string])[] = [
  ['forget the epoch', 'epoch == ARGV[1] and', 'epoch and', BY_EPOCH],
  [
    'forget the offset',
    'next == ARGV[2] and',
    '',
    'fenced by offset: a step or a load from an older checkpoint is refused',
  ],
  ['refuse nobody', 'if refused then', 'if false then', BY_EPOCH],
  [
    'claim without an epoch of its own',
    "'epoch', 1)",
    "'epoch', 0)",
    'a claim raises the epoch, for ever, and tells the checkpoint',
  ],
  [
    'keep what was dropped',
    'if dropped then',
    'if false then',
    'keys are dropped whole before the writes of the same step',
  ],
  ['keep fields that were deleted', "take(deletes, 'HDEL', hash)", 'from = from + deletes', DELETED],
  ['list keys that have no fields left', "redis.call('ZREM', KEYS[2], key)", '', DELETED],
  [
    'keep timers that were deleted',
    "take(tonumber(ARGV[9]), 'ZREM', KEYS[3])",
    'from = from + tonumber(ARGV[9])',
    'a timer has one instant: the last one set',
  ],
  [
    'lay all on the stack at once',
    'local SLICE = 2000',
    'local SLICE = 20000',
    'a step of 20,000 fields and 20,000 timers is one step',
  ],
  ['tear pairs', 'local SLICE = 2000', 'local SLICE = 1999', 'a step of 20,000 fields and 20,000 timers is one step'],
  [
    'write the fields and not the checkpoint',
    "'next', ARGV[4], ",
    '',
    'what was acknowledged is there after the process was cut off',
  ],
];

let server: TestRedis;

beforeAll(async () => {
  server = await TestRedis.start();
});

afterAll(async () => {
  await server.stop();
});

it.each(PLANTED)('scripts that %s are found out', async (_, from, to, caughtBy) => {
  const cases = STATE_CONTRACT.filter(({ title }) => title === caughtBy);
  expect(cases).toHaveLength(1);
  let planted = 0;
  const alter = (script: string) => {
    if (script.includes(from)) planted += 1;
    return script.replace(from, to);
  };
  expect(await failingCases(cases, () => harness(alter))).toEqual([caughtBy]);
  expect(planted).toBeGreaterThan(0);
  expect(await failingCases(cases, () => harness((script) => script))).toEqual([]);
});

async function harness(alter: (script: string) => string): Promise<StateHarness> {
  await server.command(['flushall']);
  const connection = await openRedis(connectionOptions([server]));
  const store = redisStateOn({
    evaluate: (script, keys, args) => connection.evaluate(alter(script), keys, args),
    disconnect: () => connection.disconnect(),
  });
  return {
    open: async () => store,
    cut: async () => {},
    dispose: async () => connection.disconnect(),
  };
}
