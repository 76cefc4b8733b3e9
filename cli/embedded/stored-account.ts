import type { StateReader } from '../../platform/state/port.ts';
import { Enforcement } from '../../services/enforcer/core/enforcement.ts';
import type { AccountView } from '../../services/ingest/ports.ts';
import { restoreAccount } from '../../services/rater/core/account-restore.ts';
import { balanceOf } from '../../services/rater/core/balances.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import type { Reading } from './access.ts';

const PARTITION = 0;

/** An account as the last checkpoints have it; undefined if it was not opened before them. */
export async function storedAccount(state: StateReader, accountId: string): Promise<AccountView | undefined> {
  const key = `a/${accountId}`;
  const { hashes } = await state.peek(`rater/${PARTITION}`, ['partition', key]);
  const fields = hashes.get(key);
  if (fields === undefined) return undefined;
  const asOf = Number(hashes.get('partition')?.get('clock') ?? -1);
  const balance = balanceOf(restoreAccount(accountId, fields, asOf));
  return { ...balance, asOf, coming: await comingTo(state, accountId) };
}

/** How many records of the log the account's state does not know yet. */
export async function recordsBehind({ log, state }: Pick<Reading, 'log' | 'state'>): Promise<number> {
  const { checkpoint } = await state.peek(`rater/${PARTITION}`, []);
  return (await log.endOffset(TOPICS.events, PARTITION)) - (checkpoint?.nextOffset ?? 0);
}

async function comingTo(state: StateReader, accountId: string): Promise<AccountView['coming']> {
  const key = `e/${accountId}`;
  const { hashes } = await state.peek(`enforcer/${PARTITION}`, ['partition', key]);
  const [partition, account] = [hashes.get('partition')?.get('state'), hashes.get(key)?.get('state')];
  if (partition === undefined || account === undefined) return [];
  const enforcement = new Enforcement(PARTITION);
  enforcement.putPartition(partition);
  enforcement.putAccount(account);
  return enforcement.comingActions(accountId);
}
