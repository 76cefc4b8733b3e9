import { isDeepStrictEqual } from 'node:util';
import { formatAmount } from '../../services/shared/money.ts';
import { formatInstant } from '../../services/shared/time.ts';
import type { Detail, Told } from './told.ts';

type Row = Record<string, unknown>;

/**
 * The first difference between the model's commands and the rows of a replay, as text; undefined if they agree. The text
 * of ids is not compared, but that none occurs twice and that a notice is the right alert; of `sequence` only that it rises.
 */
export function firstDifference(model: readonly Told[], replay: readonly unknown[]): string | undefined {
  const rows = replay.map(asRow);
  const pairs = new Map<Told, Row>();
  for (let index = 0; index < Math.max(rows.length, model.length); index++) {
    const [row, told] = [rows[index], model[index]];
    const wanted = told === undefined ? undefined : rowOf(told);
    const got = row === undefined ? undefined : comparable(row);
    if (!isDeepStrictEqual(wanted, got))
      return `${index}:\n  model ${JSON.stringify(wanted)}\n  core  ${JSON.stringify(got)}`;
    if (row === undefined || told === undefined) continue;
    pairs.set(told, row);
    const notice = told.notice === undefined ? undefined : pairs.get(told.notice)?.command_id;
    if (row.notice_id !== notice)
      return `${index}: notice ${String(row.notice_id)}, should be ${String(notice)} of ${JSON.stringify(wanted)}`;
  }
  return faultOf(rows);
}

/** N8: ids once, and the sequences of each resource rising. */
function faultOf(rows: readonly Row[]): string | undefined {
  const ids = rows.map((row) => JSON.stringify(row.command_id));
  const twice = ids.find((id, index) => ids.indexOf(id) < index);
  if (twice !== undefined) return `an id occurs twice: ${twice}`;
  const sequences = new Map<string, number>();
  for (const row of rows) {
    const resource = `${String(row.account_id)}/${resourceOf(row)}`;
    if (Number(row.sequence) <= (sequences.get(resource) ?? 0))
      return `sequence of ${resource} does not rise: ${JSON.stringify(row)}`;
    sequences.set(resource, Number(row.sequence));
  }
  return undefined;
}

function resourceOf(row: Row): string {
  const { kind, id } = asRow(row.resource ?? {});
  return `${String(kind)}/${String(id)}`;
}

function comparable(row: Row): Row {
  const { command_id: _id, notice_id: _notice, sequence: _sequence, ...rest } = row;
  return rest;
}

/** What a replay's row of this command says. */
function rowOf(told: Told): Row {
  const { command, alert, accountId, resource, scope, gpus, keep, reason, episode, attempt } = told;
  const detail = told.detail === undefined ? undefined : detailRow(told.detail);
  return asRow({
    command,
    alert,
    account_id: accountId,
    resource,
    scope,
    gpus,
    keep,
    reason,
    episode,
    attempt,
    issued_at: formatInstant(told.issuedAt),
    balance: formatAmount(told.balanceNanos),
    audience: told.audience,
    detail,
  });
}

function detailRow(detail: Detail): Row {
  const written = Object.entries(detail).map(([name, value]: [string, unknown]): [string, unknown] => {
    if (typeof value === 'bigint') return [name, formatAmount(value)];
    if (name.endsWith('_at')) return [name, formatInstant(Number(value))];
    return [name, value];
  });
  const { actions } = detail;
  if (actions === undefined) return Object.fromEntries(written);
  return {
    ...Object.fromEntries(written),
    actions: actions.map((action) => ({ ...action, at: formatInstant(action.at) })),
  };
}

function asRow(value: unknown): Row {
  return JSON.parse(JSON.stringify(value));
}
