import { assertNever } from '../assert-never.ts';
import { formatAmount } from '../money.ts';
import { formatInstant } from '../time.ts';
import type { Command, CommandDetail, PlannedAction, Subject } from './command.ts';
import { jsonText } from './json-text.ts';

/** K: where a command goes. */
export const CONTROL_TOPICS = ['control.alerts', 'control.compute', 'control.storage'] as const;
export type ControlTopic = (typeof CONTROL_TOPICS)[number];

/**
 * K: a command as one line of JSON: the members that K names, in K's order, those that do not apply left out; money with 9
 * places, times in RFC 3339. Ids of any kind come out as they are, also as names of members (`__proto__` in `keep`).
 */
export function commandLine(command: Command): string {
  const members: string[] = [];
  text(members, 'command_id', command.commandId);
  text(members, 'command', command.command);
  text(members, 'alert', command.alert);
  text(members, 'account_id', command.accountId);
  members.push(`"resource":${subjectJson(command.resource)}`);
  text(members, 'scope', command.scope);
  number(members, 'gpus', command.gpus);
  if (command.keep !== undefined) members.push(`"keep":${countsJson(command.keep)}`);
  text(members, 'reason', command.reason);
  text(members, 'notice_id', command.noticeId);
  number(members, 'episode', command.episode);
  number(members, 'sequence', command.sequence);
  number(members, 'attempt', command.attempt);
  text(members, 'issued_at', formatInstant(command.issuedAt));
  text(members, 'balance', formatAmount(command.balanceNanos));
  text(members, 'audience', command.audience);
  if (command.detail !== undefined) members.push(`"detail":${detailJson(command.detail)}`);
  return `{${members.join(',')}}`;
}

/** K: alerts go to `control.alerts`, commands to clusters to `control.compute`, to volumes to `control.storage`. */
export function topicOf(command: Command): ControlTopic {
  if (command.command === 'alert') return 'control.alerts';
  switch (command.resource.kind) {
    case 'cluster':
      return 'control.compute';
    case 'volume':
      return 'control.storage';
    case 'account':
    case 'reservation':
    case 'grant':
    case 'pipeline':
      throw new Error(`K: a ${command.command} has no topic for a ${command.resource.kind}: ${command.commandId}`);
    default:
      return assertNever(command.resource.kind);
  }
}

/** K: by account, kind and id, so that what concerns one resource stays in order. No id holds a `/`. */
export function keyOf(command: Command): string {
  return `${command.accountId}/${command.resource.kind}/${command.resource.id}`;
}

function detailJson(detail: CommandDetail): string {
  const members: string[] = [];
  if (detail.actions !== undefined) members.push(`"actions":[${detail.actions.map(actionJson).join(',')}]`);
  if (detail.paused !== undefined) members.push(`"paused":[${detail.paused.map(jsonText).join(',')}]`);
  if (detail.resumesAtNanos !== undefined) text(members, 'resumes_at', formatAmount(detail.resumesAtNanos));
  number(members, 'threshold_ms', detail.thresholdMs);
  if (detail.burnRateNanos !== undefined) text(members, 'burn_rate', formatAmount(detail.burnRateNanos));
  if (detail.endsAt !== undefined) text(members, 'ends_at', formatInstant(detail.endsAt));
  text(members, 'follows', detail.follows);
  number(members, 'burst_gpus', detail.burstGpus);
  if (detail.burstCostNanos !== undefined) text(members, 'burst_cost', formatAmount(detail.burstCostNanos));
  if (detail.expiresAt !== undefined) text(members, 'expires_at', formatInstant(detail.expiresAt));
  text(members, 'overdue_command', detail.overdueCommand);
  number(members, 'overdue_attempt', detail.overdueAttempt);
  text(members, 'why', detail.why);
  return `{${members.join(',')}}`;
}

function actionJson(action: PlannedAction): string {
  const members = [`"resource":${subjectJson(action.resource)}`];
  text(members, 'command', action.command);
  text(members, 'scope', action.scope);
  number(members, 'gpus', action.gpus);
  text(members, 'at', formatInstant(action.at));
  return `{${members.join(',')}}`;
}

function subjectJson(subject: Subject): string {
  return `{"kind":${jsonText(subject.kind)},"id":${jsonText(subject.id)}}`;
}

/** Written by hand: an object would take `__proto__` for its prototype, and move names that look like numbers. */
function countsJson(counts: ReadonlyMap<string, number>): string {
  return `{${[...counts].map(([name, count]) => `${jsonText(name)}:${count}`).join(',')}}`;
}

function text(members: string[], name: string, value: string | undefined): void {
  if (value !== undefined) members.push(`"${name}":${jsonText(value)}`);
}

function number(members: string[], name: string, value: number | undefined): void {
  if (value !== undefined) members.push(`"${name}":${value}`);
}
