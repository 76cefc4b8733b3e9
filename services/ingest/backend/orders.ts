import type { StateReader } from '../../../platform/state/port.ts';
import { readAccountEnforcement, type StandingOrder } from '../../shared/contracts/account-enforcement.ts';
import { partitionOf } from '../../shared/partition.ts';
import { compareText } from '../../shared/text-order.ts';
import type { OrdersQuery, Page } from '../ports.ts';
import { storedEnforcement } from './stored-account.ts';

const PAGE_ACCOUNTS = 1000;
const ACCOUNT_PREFIX = 'e/';

interface AccountOrders {
  readonly accountId: string;
  readonly orders: readonly StandingOrder[];
}

/** K: what stands for each resource, by account, kind and id, as the enforcers' last writes have it. */
export async function ordersPage(
  state: StateReader,
  partitions: number,
  query: OrdersQuery,
): Promise<Page<StandingOrder>> {
  const items: StandingOrder[] = [];
  let last: string | undefined;
  for await (const { accountId, orders } of accountsWithOrders(state, partitions, query)) {
    for (const order of [...orders].sort(byResource)) {
      const { kind, id } = order.resource;
      if (query.resourceKind !== undefined && kind !== query.resourceKind) continue;
      if (query.resourceId !== undefined && id !== query.resourceId) continue;
      const key = `${accountId}/${kind}/${id}`;
      if (query.after !== undefined && compareKeys(key, query.after) <= 0) continue;
      if (items.length === query.limit) return { items, next: last };
      items.push(order);
      last = key;
    }
  }
  return { items, next: undefined };
}

async function* accountsWithOrders(
  state: StateReader,
  partitions: number,
  { accountId, after }: OrdersQuery,
): AsyncGenerator<AccountOrders> {
  if (accountId !== undefined) {
    const { orders } = await storedEnforcement(state, partitionOf(accountId, partitions), accountId);
    yield { accountId, orders };
    return;
  }
  const from = after?.slice(0, after.indexOf('/'));
  const scans = Array.from({ length: partitions }, (_, partition) => scanOrders(state, partition, from));
  yield* merged(scans);
}

/** The accounts of a partition, by id, the one named by `from` first. */
async function* scanOrders(
  state: StateReader,
  partition: number,
  from: string | undefined,
): AsyncGenerator<AccountOrders> {
  const scope = `enforcer/${partition}`;
  if (from !== undefined) {
    const { orders } = await storedEnforcement(state, partition, from);
    if (orders.length > 0) yield { accountId: from, orders };
  }
  let after = `${ACCOUNT_PREFIX}${from ?? ''}`;
  for (;;) {
    const keys = await state.scan(scope, { after, limit: PAGE_ACCOUNTS });
    const accounts = keys.filter((key) => key.startsWith(ACCOUNT_PREFIX));
    if (accounts.length === 0) return;
    const { hashes } = await state.peek(scope, accounts);
    for (const key of accounts) {
      const view = hashes.get(key)?.get('view');
      if (view === undefined) continue;
      const { orders } = readAccountEnforcement(view);
      if (orders.length > 0) yield { accountId: key.slice(ACCOUNT_PREFIX.length), orders };
    }
    after = accounts[accounts.length - 1] ?? after;
  }
}

/** Sorted streams as one. An account is in one partition only. */
async function* merged(streams: readonly AsyncGenerator<AccountOrders>[]): AsyncGenerator<AccountOrders> {
  const heads = await Promise.all(streams.map((stream) => stream.next()));
  for (;;) {
    let least: number | undefined;
    for (const [index, head] of heads.entries()) {
      if (head.done === true) continue;
      const other = least === undefined ? undefined : heads[least];
      if (other === undefined || other.done === true || compareText(head.value.accountId, other.value.accountId) < 0) {
        least = index;
      }
    }
    const [head, stream] = least === undefined ? [] : [heads[least], streams[least]];
    if (least === undefined || head === undefined || head.done === true || stream === undefined) return;
    yield head.value;
    heads[least] = await stream.next();
  }
}

/** By account, then kind, then id: the `/` between them is no part of an id, and comes before most that are. */
function compareKeys(left: string, right: string): number {
  const [leftParts, rightParts] = [left.split('/'), right.split('/')];
  for (const [index, part] of leftParts.entries()) {
    const compared = compareText(part, rightParts[index] ?? '');
    if (compared !== 0) return compared;
  }
  return 0;
}

function byResource(left: StandingOrder, right: StandingOrder): number {
  return compareText(left.resource.kind, right.resource.kind) || compareText(left.resource.id, right.resource.id);
}
