import type * as Avro from './avro-types.ts';
import { isWellFormed, oneJson } from './well-formed.ts';

interface Operation {
  readonly act: string;
  readonly target: 'all' | { readonly account_id: string };
  readonly by: string;
  readonly why: string;
  readonly act_id: string;
  readonly at: number;
}

/** A record of `control.operations` for its JSON text. @throws Error if it is no such text */
export function operationRecord(text: string): Avro.Operation {
  const { act, target, by, why, act_id, at }: Operation = JSON.parse(text);
  const account_id = target === 'all' ? null : target.account_id;
  const record = { act, account_id, by, why, act_id, at, exact: null };
  if (operationText(record) !== text) throw new Error(`no record of control.operations: ${text}`);
  return isWellFormed(why) ? record : { ...record, exact: text };
}

/** The JSON text of a record, as `operationRecord` took it. */
export function operationText({ act, account_id, by, why, act_id, at, exact }: Avro.Operation): string {
  if (exact !== null) return oneJson(exact);
  const target = account_id === null ? 'all' : { account_id };
  return JSON.stringify({ act, target, by, why, act_id, at } satisfies Operation);
}
