import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type EventLog, isLogError } from '../../../platform/log/port.ts';
import type { StateReader } from '../../../platform/state/port.ts';
import { type Operation, operationText } from '../../shared/contracts/operation.ts';
import {
  type OperatorWord,
  type PartitionEnforcement,
  readPartitionEnforcement,
} from '../../shared/contracts/partition-enforcement.ts';
import { partitionOf } from '../../shared/partition.ts';
import { compareText } from '../../shared/text-order.ts';
import type { Instant } from '../../shared/time.ts';
import { TOPICS } from '../../shared/topics.ts';
import type { WireFormat } from '../../shared/wire/wire-format.ts';
import type {
  AccountHold,
  EnforcementAct,
  EnforcementActOutcome,
  EnforcementControl,
  HeldAccountsQuery,
  Page,
} from '../ports.ts';

/** How long an operator waits when the log is behind. */
const BUSY_MS = 1000;
const POLL_MS = 20;
const CARRIED_OUT_MS = 10_000;

export interface ControlStores {
  readonly log: EventLog;
  readonly wire: WireFormat;
  readonly state: StateReader;
  /** The wall clock, integer ms. */
  readonly now: () => Instant;
  /** So long an act may take to be carried out before the operator is told that it is recorded only (default 10 s). */
  readonly carriedOutMs?: number;
}

/** N11: acts go through the log of operations; how enforcement stands is as the enforcers' last writes have it. */
export function enforcementControl(stores: ControlStores): EnforcementControl {
  const { log, state } = stores;
  const partitions = Array.from({ length: log.partitions(TOPICS.operations) }, (_, partition) => partition);
  return {
    act: async (act) => {
      try {
        return await carryOut(act, partitions, stores);
      } catch (fault) {
        if (isLogError(fault, 'LogBacklogFull')) return { kind: 'busy', retryAfterMs: BUSY_MS };
        throw fault;
      }
    },
    partitions: () => Promise.all(partitions.map((partition) => standing(state, partition))),
    heldAccounts: (query) => heldAccounts(state, partitions, query),
  };
}

async function carryOut(
  { kind, target, by, why }: EnforcementAct,
  partitions: readonly number[],
  { log, wire, state, now, carriedOutMs }: ControlStores,
): Promise<EnforcementActOutcome> {
  const operation: Operation = { act: kind, target, by, why, actId: randomUUID(), at: now() };
  const concerned = target === 'all' ? partitions : [partitionOf(target.accountId, partitions.length)];
  if (target !== 'all' && !(await isKnown(state, concerned[0] ?? 0, target.accountId))) {
    return { kind: 'unknown_account' };
  }
  const key = target === 'all' ? '' : target.accountId;
  const record = { key, value: wire.encode(TOPICS.operations, operationText(operation)) };
  const ended = AbortSignal.timeout(carriedOutMs ?? CARRIED_OUT_MS);
  const done = await Promise.all(
    concerned.map(async (partition) => {
      const { firstOffset } = await log.append(TOPICS.operations, partition, [record]);
      return isCarriedOut(state, partition, firstOffset + 1, ended);
    }),
  );
  return { kind: done.every(Boolean) ? 'done' : 'recorded', at: operation.at };
}

async function isKnown(state: StateReader, partition: number, accountId: string): Promise<boolean> {
  if (accountId === '') return false;
  const { hashes } = await state.peek(`enforcer/${partition}`, [`e/${accountId}`]);
  return hashes.size > 0;
}

async function isCarriedOut(
  state: StateReader,
  partition: number,
  nextOffset: number,
  ended: AbortSignal,
): Promise<boolean> {
  for (;;) {
    const { hashes } = await state.peek(`enforcer/${partition}`, ['partition']);
    if (Number(hashes.get('partition')?.get('operations') ?? 0) >= nextOffset) return true;
    if (ended.aborted) return false;
    await delay(POLL_MS);
  }
}

async function standing(state: StateReader, partition: number): Promise<PartitionEnforcement> {
  const { hashes } = await state.peek(`enforcer/${partition}`, ['partition']);
  const view = hashes.get('partition')?.get('view');
  if (view !== undefined) return readPartitionEnforcement(view);
  return { partition, asOf: 0, hold: undefined, brake: undefined, suspended: false, lastRelease: undefined };
}

async function heldAccounts(
  state: StateReader,
  partitions: readonly number[],
  { among, limit, after }: HeldAccountsQuery,
): Promise<Page<AccountHold>> {
  const held: AccountHold[] = [];
  for (const partition of partitions) {
    const { hashes } = await state.peek(`enforcer/${partition}`, ['holds']);
    for (const [accountId, text] of hashes.get('holds') ?? []) {
      if (among !== 'all' && !among.has(accountId)) continue;
      if (after !== undefined && compareText(accountId, after) <= 0) continue;
      const word: OperatorWord = JSON.parse(text);
      held.push({ accountId, ...word });
    }
  }
  held.sort((left, right) => compareText(left.accountId, right.accountId));
  const items = held.slice(0, limit);
  return { items, next: held.length > limit ? items[items.length - 1]?.accountId : undefined };
}
