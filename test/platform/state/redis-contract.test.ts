import { afterAll, beforeAll } from 'vitest';
import { describeContract } from '../../contracts/contract.ts';
import { STATE_CONTRACT } from '../../contracts/state-contract.ts';
import { startCluster, TestRedis } from '../redis/support.ts';
import { redisHarness } from './redis-harness.ts';

const servers: TestRedis[] = [];
const cluster: TestRedis[] = [];

beforeAll(async () => {
  servers.push(await TestRedis.start());
  cluster.push(...(await startCluster()));
});

afterAll(async () => {
  for (const server of [...servers, ...cluster]) await server.stop();
});

describeContract('the state in Redis', STATE_CONTRACT, () => redisHarness(servers));

describeContract('the state in Redis, whose server is killed with every cut', STATE_CONTRACT, () =>
  redisHarness(servers, async () => {
    for (const server of servers) {
      await server.kill();
      await server.resume();
    }
  }),
);

describeContract('the state in a Redis cluster', STATE_CONTRACT, () => redisHarness(cluster));
