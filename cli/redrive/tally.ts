import { type Align, columns } from '../terminal/columns.ts';
import type { Fate } from './resend.ts';
import { SKIPPED, type Skipped } from './selection.ts';

/** What became of the rejected events that were meant, in numbers; true also of a redrive that broke off. */
export class Tally {
  #toSend = 0;
  #skipped: ReadonlyMap<Skipped, number> = new Map();
  /** Why those that are to be sent were rejected before. */
  readonly #before = new Map<string, number>();
  readonly #taken = { applied: 0, duplicate: 0, pending: 0 };
  readonly #again = new Map<string, number>();

  /** How many are to be sent, and why the others are not. */
  found(toSend: number, skipped: ReadonlyMap<Skipped, number>): void {
    this.#toSend = toSend;
    this.#skipped = skipped;
  }

  /** One that is sent next, or would be. */
  send(reason: string): void {
    this.#before.set(reason, (this.#before.get(reason) ?? 0) + 1);
  }

  settle(fate: Fate): void {
    if (fate.kind === 'rejected') this.#again.set(fate.reason, (this.#again.get(fate.reason) ?? 0) + 1);
    else this.#taken[fate.kind] += 1;
  }

  get pending(): number {
    return this.#taken.pending;
  }

  json(dryRun: boolean): object {
    const skipped = Object.fromEntries(SKIPPED.map((why) => [why, this.#skipped.get(why) ?? 0]));
    const found = this.#toSend + sum(this.#skipped);
    if (dryRun) return { found, would_send: this.#toSend, by_reason: Object.fromEntries(this.#before), skipped };
    return { found, sent: this.#sent, ...this.#taken, rejected: Object.fromEntries(this.#again), skipped };
  }

  text(dryRun: boolean): string {
    const parts = dryRun ? rowsOf(this.#before, '  ') : this.#fates();
    const skipped = SKIPPED.filter((why) => this.#skipped.has(why)).map((why): Row => {
      return [`  ${why}`, `${this.#skipped.get(why)}`, MEANING[why]];
    });
    const rows: readonly Row[] = [
      ['found', `${this.#toSend + sum(this.#skipped)}`, 'rejected events, each counted once'],
      [dryRun ? 'would send' : 'sent', `${dryRun ? this.#toSend : this.#sent}`, ''],
      ...parts,
      ['skipped', `${sum(this.#skipped)}`, ''],
      ...skipped,
    ];
    return columns(rows, ALIGNS);
  }

  get #sent(): number {
    const { applied, duplicate, pending } = this.#taken;
    return applied + duplicate + pending + sum(this.#again);
  }

  #fates(): readonly Row[] {
    const { applied, duplicate, pending } = this.#taken;
    return [
      ['  applied', `${applied}`, ''],
      ['  duplicate', `${duplicate}`, ''],
      ...(pending === 0 ? [] : [['  pending', `${pending}`, 'in the log, and not rated yet'] satisfies Row]),
      ['  rejected again', `${sum(this.#again)}`, ''],
      ...rowsOf(this.#again, '    '),
    ];
  }
}

type Row = readonly [name: string, count: string, meaning: string];
const ALIGNS: readonly Align[] = ['left', 'right', 'left'];

const MEANING: Readonly<Record<Skipped, string>> = {
  applied_since: 'came again since, and were applied or duplicates',
  act_not_named: 'acts of operators: name by --id which to repeat',
  act_ambiguous: 'acts of one source and id that differ: send the right one yourself',
  forbidden_not_named: 'their key had no right to send them: --reason forbidden, or --id',
  truncated: 'too long to be kept whole: these can never be sent again',
  not_json: 'no JSON object: these can never be sent again',
};

function rowsOf(counts: ReadonlyMap<string, number>, indent: string): readonly Row[] {
  return [...counts].map(([reason, count]): Row => [`${indent}${reason}`, `${count}`, '']);
}

function sum(counts: ReadonlyMap<unknown, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
