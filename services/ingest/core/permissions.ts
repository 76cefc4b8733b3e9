import type { EventType } from '../../shared/contracts/event.ts';

export const ROLES = ['agent', 'control-plane', 'operator'] as const;
/** `agent`: usage of its accounts. `control-plane`: what exists. `operator`: everything. */
export type Role = (typeof ROLES)[number];

/** Who sends: the key that was shown, never the key itself. */
export interface Sender {
  readonly keyId: string;
  readonly role: Role;
  /** The accounts it may speak for and ask about. */
  readonly accounts: ReadonlySet<string> | 'all';
}

/** E's table, "sent by": the one list of who may send what. An operator may send everything, ticks of an import too. */
const ROLES_BY_TYPE: ReadonlyMap<string, readonly Role[]> = new Map<EventType, readonly Role[]>([
  ['usage.gpu', ['agent', 'operator']],
  ['usage.storage', ['agent', 'operator']],
  ['account.opened', ['operator']],
  ['policy.set', ['operator']],
  ['credits.granted', ['operator']],
  ['reservation.purchased', ['operator']],
  ['reservation.extended', ['operator']],
  ['reservation.cancelled', ['operator']],
  ['cluster.provisioned', ['control-plane', 'operator']],
  ['cluster.decommissioned', ['control-plane', 'operator']],
  ['volume.created', ['control-plane', 'operator']],
  ['volume.decommissioned', ['control-plane', 'operator']],
  ['prices.published', ['operator']],
  ['contract.priced', ['operator']],
  ['clock.tick', ['operator']],
]);

/**
 * What speaks against this sender's sending an event of a type for an account; undefined if nothing does.
 * @param account the event's subject, absent for what concerns all accounts
 */
export function sendingFault(sender: Sender, type: string, account: string | undefined): string | undefined {
  const roles = ROLES_BY_TYPE.get(type);
  if (roles === undefined || !roles.includes(sender.role)) return `a key of role ${sender.role} may not send ${type}`;
  if (account === undefined) {
    return sender.accounts === 'all' ? undefined : `${type} concerns all accounts, and this key is for some only`;
  }
  return maySee(sender, account) ? undefined : `this key may not send for account ${account}`;
}

/** Whether a sender may ask about an account. */
export function maySee(sender: Sender, account: string): boolean {
  return sender.accounts === 'all' || sender.accounts.has(account);
}
