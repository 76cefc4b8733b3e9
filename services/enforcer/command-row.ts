import type { Command } from '../shared/contracts/command.ts';
import { commandLine } from '../shared/contracts/command-line.ts';
import { formatAmount } from '../shared/money.ts';
import { formatInstant } from '../shared/time.ts';

/** Where a command stands: the update last folded for its account, and the order of issue within the partition. */
export interface CommandPlace {
  readonly partition: number;
  /** Of the event behind that update; -1 for the pipeline's own alerts (N9). */
  readonly offset: number;
  readonly ordinal: number;
}

/** A row of the warehouse's `commands`, in the order of its columns. `body` is the line as replay writes it. */
export function commandRow(command: Command, place: CommandPlace): string {
  const body = commandLine(command);
  const { keep, detail }: { keep?: unknown; detail?: unknown } = JSON.parse(body);
  return JSON.stringify([
    command.commandId,
    command.command,
    command.alert ?? null,
    command.accountId,
    command.resource.kind,
    command.resource.id,
    command.scope ?? null,
    command.gpus ?? null,
    keep === undefined ? null : JSON.stringify(keep),
    command.reason,
    command.noticeId ?? null,
    command.episode ?? null,
    command.sequence,
    command.attempt,
    formatInstant(command.issuedAt),
    formatAmount(command.balanceNanos),
    command.audience,
    detail === undefined ? null : JSON.stringify(detail),
    body,
    place.partition,
    Math.max(0, place.offset),
    place.ordinal,
  ]);
}
