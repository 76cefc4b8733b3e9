import { z } from 'zod';
import type { Command } from '../shared/contracts/command.ts';
import { commandLine } from '../shared/contracts/command-line.ts';

/** Where a command stands: the update last folded for its account, and the order of issue within the partition. */
export interface CommandPlace {
  readonly partition: number;
  /** Of the event behind that update; -1 for the pipeline's own alerts (N9). */
  readonly offset: number;
  readonly ordinal: number;
}

/** What a line of `commandLine` says, as far as rows have columns for it. */
interface CommandLine {
  readonly command_id: string;
  readonly command: string;
  readonly alert?: string;
  readonly account_id: string;
  readonly resource: { readonly kind: string; readonly id: string };
  readonly scope?: string;
  readonly gpus?: number;
  readonly keep?: object;
  readonly reason: string;
  readonly notice_id?: string;
  readonly episode?: number;
  readonly sequence: number;
  readonly attempt: number;
  readonly issued_at: string;
  readonly balance: string;
  readonly audience: string;
  readonly detail?: object;
}

/** A row of the warehouse's `commands`. */
export function commandRow(command: Command, place: CommandPlace): string {
  return commandLineRow(commandLine(command), place);
}

/** The same of a command as it was published, in the order of the columns. `body` is the line as replay writes it. */
export function commandLineRow(line: string, place: CommandPlace): string {
  const command: CommandLine = JSON.parse(line);
  return JSON.stringify([
    command.command_id,
    command.command,
    command.alert ?? null,
    command.account_id,
    command.resource.kind,
    command.resource.id,
    command.scope ?? null,
    command.gpus ?? null,
    command.keep === undefined ? null : JSON.stringify(command.keep),
    command.reason,
    command.notice_id ?? null,
    command.episode ?? null,
    command.sequence,
    command.attempt,
    command.issued_at,
    command.balance,
    command.audience,
    command.detail === undefined ? null : JSON.stringify(command.detail),
    line,
    place.partition,
    Math.max(0, place.offset),
    place.ordinal,
  ]);
}

const endOfRow = z.tuple([z.string(), z.number(), z.number(), z.number()]);

/** The line and the place that a row was made of. */
export function readCommandRow(row: string): { readonly line: string; readonly place: CommandPlace } {
  const columns: unknown[] = JSON.parse(row);
  const [line, partition, offset, ordinal] = endOfRow.parse(columns.slice(-4));
  return { line, place: { partition, offset, ordinal } };
}
