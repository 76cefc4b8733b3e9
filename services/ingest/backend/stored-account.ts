import type { StateReader } from '../../../platform/state/port.ts';
import { readAccountBalance } from '../../shared/contracts/account-balance.ts';
import { type AccountEnforcement, readAccountEnforcement } from '../../shared/contracts/account-enforcement.ts';
import type { AccountView } from '../ports.ts';

const NOTHING_COMES: AccountEnforcement = { coming: [], orders: [] };

/** An account as the last checkpoints have it; undefined if it was not opened before them. */
export async function storedAccount(
  state: StateReader,
  partition: number,
  accountId: string,
): Promise<AccountView | undefined> {
  const key = `a/${accountId}`;
  const { hashes } = await state.peek(`rater/${partition}`, ['partition', key]);
  const view = hashes.get(key)?.get('view');
  if (view === undefined) return undefined;
  const asOf = Number(hashes.get('partition')?.get('clock') ?? -1);
  const { coming } = await storedEnforcement(state, partition, accountId);
  return { ...readAccountBalance(view), asOf, coming };
}

/** How enforcement stands for an account, as the enforcer's last write has it. */
export async function storedEnforcement(
  state: StateReader,
  partition: number,
  accountId: string,
): Promise<AccountEnforcement> {
  const key = `e/${accountId}`;
  const { hashes } = await state.peek(`enforcer/${partition}`, [key]);
  const view = hashes.get(key)?.get('view');
  return view === undefined ? NOTHING_COMES : readAccountEnforcement(view);
}
