import type { AccountHold, AccountView, UsageLine } from '../../services/ingest/ports.ts';
import type { StandingOrder } from '../../services/shared/contracts/account-enforcement.ts';
import type { Command } from '../../services/shared/contracts/command.ts';
import { commandLine } from '../../services/shared/contracts/command-line.ts';
import type { PartitionEnforcement } from '../../services/shared/contracts/partition-enforcement.ts';
import { NOW } from './harness.ts';

export const account: AccountView = {
  accountId: 'acme',
  asOf: NOW,
  balanceNanos: 12_500_000_000n,
  grantedNanos: 20_000_000_000n,
  refundedNanos: 0n,
  chargedNanos: 7_000_000_000n,
  expiredNanos: 500_000_000n,
  burnRateNanos: 3_490_000_000n,
  level: 'low',
  coming: [
    {
      resource: { kind: 'cluster', id: 'c1' },
      command: 'pause',
      scope: 'cluster',
      gpus: undefined,
      at: NOW + 3_600_000,
    },
    { resource: { kind: 'cluster', id: 'c2' }, command: 'decommission', scope: 'burst', gpus: 8, at: NOW + 7_200_000 },
  ],
};

export const usageLine: UsageLine = {
  resourceKind: 'cluster',
  resourceId: 'c1',
  sku: 'h100',
  category: 'burst',
  reservationId: 'r1',
  correction: false,
  quantityMs: 123_456_789_012_345_678n,
  unit: 'gpu_hour',
  unitPriceMicros: 3_490_000n,
  listUnitPriceMicros: 4_000_000n,
  amountNanos: 1n,
  listAmountNanos: 2n,
};

export const order: Command = {
  commandId: 'acme/1/cluster/c1/decommission/burst/1',
  command: 'decommission',
  alert: undefined,
  accountId: 'acme',
  resource: { kind: 'cluster', id: 'c1' },
  scope: 'burst',
  gpus: 8,
  keep: new Map([
    ['__proto__', 64],
    ['10', 1],
  ]),
  reason: 'credits_exhausted',
  noticeId: 'n1',
  episode: 1,
  sequence: 4,
  attempt: 1,
  issuedAt: NOW,
  balanceNanos: -1n,
  audience: 'customer',
  detail: undefined,
};

export const enforcedPartition: PartitionEnforcement = {
  partition: 0,
  asOf: NOW,
  hold: { by: 'op', why: 'a "migration"', at: NOW },
  brake: { by: 'brake', why: '11 accounts within one hour', at: NOW + 1 },
  suspended: true,
  lastRelease: { by: 'op', why: 'over', at: NOW - 1 },
};

export const heldAccount: AccountHold = { accountId: 'acme', by: 'op', why: 'a dispute', at: NOW };

/** A command as it stands for its resource. */
export function standing(command: Command): StandingOrder {
  return { resource: command.resource, line: commandLine(command) };
}
