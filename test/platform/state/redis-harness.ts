import { openRedis, type RedisConnection } from '../../../platform/redis/connection.ts';
import { redisStateOn } from '../../../platform/state/redis-state.ts';
import type { StateHarness } from '../../contracts/state-contract.ts';
import { connectionOptions, type TestRedis } from '../redis/support.ts';

/**
 * The store on servers that outlive the harness, emptied before each. A cut is the end of the process that has the
 * store: its connections are gone in the middle of what they did; `afterCut` may do harm to the servers too.
 */
export async function redisHarness(
  servers: readonly TestRedis[],
  afterCut: () => Promise<void> = async () => {},
): Promise<StateHarness> {
  for (const server of servers) await server.command(['flushall']);
  const opened: RedisConnection[] = [];
  const cut = async () => {
    for (const connection of opened.splice(0)) connection.disconnect();
    await afterCut();
  };
  return {
    open: async () => {
      const connection = await openRedis(connectionOptions(servers));
      opened.push(connection);
      return redisStateOn(connection);
    },
    cut,
    dispose: async () => {
      for (const connection of opened.splice(0)) connection.disconnect();
    },
  };
}
