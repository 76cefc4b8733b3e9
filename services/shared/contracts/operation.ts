import type { Instant } from '../time.ts';

/** N11: what is held or released: an account, or all of a partition. */
export type OperationTarget = { readonly accountId: string } | 'all';

/**
 * N11: what an operator does to enforcement. It stands in `control.operations`, the log of operations: in the partition of
 * the account, or in each if it is meant for all.
 */
export interface Operation {
  readonly act: 'hold' | 'release';
  readonly target: OperationTarget;
  /** The id of the operator's key. */
  readonly by: string;
  readonly why: string;
  /** Names it in logs; the same in every partition. */
  readonly actId: string;
  /** When it was given, by the wall clock of the door. */
  readonly at: Instant;
}

interface OperationRecord {
  readonly act: Operation['act'];
  readonly target: { readonly account_id: string } | 'all';
  readonly by: string;
  readonly why: string;
  readonly act_id: string;
  readonly at: Instant;
}

/** Writes an operation as a record of its topic. */
export function operationText({ act, target, by, why, actId, at }: Operation): string {
  const record: OperationRecord = {
    act,
    target: target === 'all' ? target : { account_id: target.accountId },
    ...{ by, why, act_id: actId, at },
  };
  return JSON.stringify(record);
}

/** What `operationText` wrote. */
export function readOperation(text: string): Operation {
  const { act, target, by, why, act_id: actId, at }: OperationRecord = JSON.parse(text);
  return { act, target: target === 'all' ? target : { accountId: target.account_id }, by, why, actId, at };
}
