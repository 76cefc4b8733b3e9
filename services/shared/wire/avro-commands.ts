import type { CommandDetail, PlannedAction } from '../contracts/command.ts';
import { jsonText } from '../contracts/json-text.ts';
import { formatAmount, readAmount } from '../money.ts';
import { formatInstant, parseInstant } from '../time.ts';
import type * as Avro from './avro-types.ts';

/** A record of the control topics for its JSON text (contracts/command-line.ts). @throws Error if it is no such text */
export function commandRecord(text: string): Avro.ControlCommand {
  const line: CommandLine = JSON.parse(text);
  const record: Avro.ControlCommand = {
    command_id: line.command_id,
    command: line.command,
    alert: line.alert ?? null,
    account_id: line.account_id,
    resource: line.resource,
    scope: line.scope ?? null,
    gpus: line.gpus ?? null,
    keep: line.keep === undefined ? null : keptGpus(text),
    reason: line.reason,
    notice_id: line.notice_id ?? null,
    episode: line.episode ?? null,
    sequence: line.sequence,
    attempt: line.attempt,
    issued_at: instantOf(line.issued_at),
    balance: readAmount(line.balance),
    audience: line.audience,
    detail: line.detail === undefined ? null : detailRecord(line.detail),
  };
  if (commandText(record) !== text) throw new Error(`no record of the control topics: ${text}`);
  return record;
}

/** The JSON text of a record, as `commandRecord` took it. */
export function commandText(record: Avro.ControlCommand): string {
  const members: string[] = [];
  text(members, 'command_id', record.command_id);
  text(members, 'command', record.command);
  text(members, 'alert', record.alert);
  text(members, 'account_id', record.account_id);
  members.push(`"resource":${resourceText(record.resource)}`);
  text(members, 'scope', record.scope);
  number(members, 'gpus', record.gpus);
  if (record.keep !== null) members.push(`"keep":${keepText(record.keep)}`);
  text(members, 'reason', record.reason);
  text(members, 'notice_id', record.notice_id);
  number(members, 'episode', record.episode);
  number(members, 'sequence', record.sequence);
  number(members, 'attempt', record.attempt);
  instant(members, 'issued_at', record.issued_at);
  amount(members, 'balance', record.balance);
  text(members, 'audience', record.audience);
  if (record.detail !== null) members.push(`"detail":${detailText(record.detail)}`);
  return `{${members.join(',')}}`;
}

/** K's members, as JSON.parse finds them. */
interface CommandLine {
  readonly command_id: string;
  readonly command: string;
  readonly alert?: string;
  readonly account_id: string;
  readonly resource: Avro.Resource;
  readonly scope?: string;
  readonly gpus?: number;
  readonly keep?: unknown;
  readonly reason: string;
  readonly notice_id?: string;
  readonly episode?: number;
  readonly sequence: number;
  readonly attempt: number;
  readonly issued_at: string;
  readonly balance: string;
  readonly audience: string;
  readonly detail?: DetailLine;
}

interface DetailLine {
  readonly actions?: readonly ActionLine[];
  readonly paused?: readonly string[];
  readonly resumes_at?: string;
  readonly threshold_ms?: number;
  readonly burn_rate?: string;
  readonly ends_at?: string;
  readonly follows?: NonNullable<CommandDetail['follows']>;
  readonly burst_gpus?: number;
  readonly burst_cost?: string;
  readonly expires_at?: string;
  readonly overdue_command?: string;
  readonly overdue_attempt?: number;
  readonly why?: string;
}

interface ActionLine {
  readonly resource: Avro.Resource;
  readonly command: PlannedAction['command'];
  readonly scope: string;
  readonly gpus?: number;
  readonly at: string;
}

/** No id holds a brace or a quote. The text is asked, since JSON.parse moves names that look like numbers to the front. */
const KEEP = /"keep":\{([^}]*)\}/;
const KEPT = /"([^"]*)":(\d+)/g;

function keptGpus(line: string): readonly Avro.KeptGpus[] {
  const kept = KEEP.exec(line)?.[1] ?? '';
  return [...kept.matchAll(KEPT)].map(([, gpu_type = '', gpus]) => ({ gpu_type, gpus: Number(gpus) }));
}

function detailRecord(detail: DetailLine): Avro.CommandDetail {
  return {
    actions: detail.actions?.map(actionRecord) ?? null,
    paused: detail.paused ?? null,
    resumes_at: amountOrNull(detail.resumes_at),
    threshold_ms: detail.threshold_ms ?? null,
    burn_rate: amountOrNull(detail.burn_rate),
    ends_at: instantOrNull(detail.ends_at),
    follows: detail.follows ?? null,
    burst_gpus: detail.burst_gpus ?? null,
    burst_cost: amountOrNull(detail.burst_cost),
    expires_at: instantOrNull(detail.expires_at),
    overdue_command: detail.overdue_command ?? null,
    overdue_attempt: detail.overdue_attempt ?? null,
    why: detail.why ?? null,
  };
}

function actionRecord({ resource, command, scope, gpus, at }: ActionLine): Avro.PlannedAction {
  return { resource, command, scope, gpus: gpus ?? null, at: instantOf(at) };
}

function detailText(detail: Avro.CommandDetail): string {
  const members: string[] = [];
  if (detail.actions !== null) members.push(`"actions":[${detail.actions.map(actionText).join(',')}]`);
  if (detail.paused !== null) members.push(`"paused":[${detail.paused.map(jsonText).join(',')}]`);
  amount(members, 'resumes_at', detail.resumes_at);
  number(members, 'threshold_ms', detail.threshold_ms);
  amount(members, 'burn_rate', detail.burn_rate);
  instant(members, 'ends_at', detail.ends_at);
  text(members, 'follows', detail.follows);
  number(members, 'burst_gpus', detail.burst_gpus);
  amount(members, 'burst_cost', detail.burst_cost);
  instant(members, 'expires_at', detail.expires_at);
  text(members, 'overdue_command', detail.overdue_command);
  number(members, 'overdue_attempt', detail.overdue_attempt);
  text(members, 'why', detail.why);
  return `{${members.join(',')}}`;
}

function actionText({ resource, command, scope, gpus, at }: Avro.PlannedAction): string {
  const members = [`"resource":${resourceText(resource)}`];
  text(members, 'command', command);
  text(members, 'scope', scope);
  number(members, 'gpus', gpus);
  instant(members, 'at', at);
  return `{${members.join(',')}}`;
}

function resourceText({ kind, id }: Avro.Resource): string {
  return `{"kind":${jsonText(kind)},"id":${jsonText(id)}}`;
}

function keepText(keep: readonly Avro.KeptGpus[]): string {
  return `{${keep.map(({ gpu_type, gpus }) => `${jsonText(gpu_type)}:${gpus}`).join(',')}}`;
}

function instantOf(text: string): number {
  const at = parseInstant(text);
  if (at === undefined) throw new Error(`no instant: ${text}`);
  return at;
}

function instantOrNull(text: string | undefined): number | null {
  return text === undefined ? null : instantOf(text);
}

function amountOrNull(text: string | undefined): bigint | null {
  return text === undefined ? null : readAmount(text);
}

function text(members: string[], name: string, value: string | null): void {
  if (value !== null) members.push(`"${name}":${jsonText(value)}`);
}

function number(members: string[], name: string, value: number | null): void {
  if (value !== null) members.push(`"${name}":${value}`);
}

function amount(members: string[], name: string, value: bigint | null): void {
  if (value !== null) members.push(`"${name}":"${formatAmount(value)}"`);
}

function instant(members: string[], name: string, at: number | null): void {
  if (at !== null) members.push(`"${name}":"${formatInstant(at)}"`);
}
