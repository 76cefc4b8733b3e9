import type { Command } from 'commander';
import { z } from 'zod';
import { askDoor, type Door, type DoorOptions, findDoor, problemText, readAnswer } from '../door/door.ts';
import { CommandFailed } from '../failure.ts';
import { columns } from '../terminal/columns.ts';
import { doorOptions, helpEnd } from './options.ts';
import { type World, write } from './world.ts';

interface EnforcementOptions extends DoorOptions {
  readonly json?: boolean;
}

interface ActOptions extends EnforcementOptions {
  readonly account?: string;
  readonly all?: boolean;
  readonly reason: string;
}

type Act = 'hold' | 'release';

const word = z.object({ by: z.string(), reason: z.string(), since: z.string() });
const partition = z.object({
  partition: z.number(),
  as_of: z.string(),
  hold: word.nullable(),
  brake: word.omit({ by: true }).nullable(),
  suspended: z.boolean(),
});
const standing = z.object({
  partitions: z.array(partition),
  accounts: z.array(word.extend({ account_id: z.string() })),
  next: z.string().nullable(),
});
const done = z.object({
  account_id: z.string().nullable(),
  by: z.string(),
  at: z.string(),
  partitions: z.array(partition),
});

/** So many pages of held accounts are read, of a thousand each; more are told of, and not listed. */
const PAGES_MAX = 100;
const TARGET = 'name one account with --account, or say --all';

/** N11: `tollgate enforcement`, `tollgate hold` and `tollgate release`: what is held, by whom and why; for operators. */
export function addEnforcement(program: Command, world: World): void {
  doorOptions(program.command('enforcement'))
    .summary('Who holds enforcement, and why')
    .description('Who holds enforcement, why and since when: operators, the brake, or stale input')
    .option('--json', 'print it as JSON')
    .addHelpText('after', helpEnd(['tollgate enforcement'], ['1  it could not be asked']))
    .action(async (options: EnforcementOptions) => {
      const found = await ask(findDoor(options, world.settings.key));
      await write(world.stdout, options.json === true ? `${JSON.stringify(found)}\n` : standingText(found));
    });
  addAct(program, world, 'hold', {
    summary: 'Hold pauses, revokes and decommissions',
    description: 'Send no pause, revoke or decommission of an account, or of all, until it is released; alerts go on',
    example: 'tollgate hold --account acme --reason "a dispute about the last invoice"',
  });
  addAct(program, world, 'release', {
    summary: 'Release what is held',
    description: 'Release an account, or all and the brake. What was held is due anew, and checked again',
    example: 'tollgate release --all --reason "the migration is over"',
  });
}

function addAct(
  program: Command,
  world: World,
  act: Act,
  help: { readonly summary: string; readonly description: string; readonly example: string },
): void {
  const command = doorOptions(program.command(act)).summary(help.summary).description(help.description);
  command
    .option('--account <id>', 'this account only')
    .option('--all', 'all accounts; one that is held by itself stays so')
    .requiredOption('--reason <text>', 'why, for who looks later')
    .option('--json', 'print what was done as JSON')
    .addHelpText('after', helpEnd([help.example], ['1  no such account, or it was not done']))
    .action(async (options: ActOptions) => {
      if ((options.account === undefined) === (options.all !== true)) command.error(`error: ${TARGET}`);
      const found = await carryOut(findDoor(options, world.settings.key), act, options);
      await write(world.stdout, options.json === true ? `${JSON.stringify(found)}\n` : doneText(act, found));
    });
}

async function ask(door: Door): Promise<z.infer<typeof standing>> {
  const signal = new AbortController().signal;
  let found: z.infer<typeof standing> | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const after = found?.next === undefined || found.next === null ? '' : `?after=${encodeURIComponent(found.next)}`;
    const answer = await askDoor(door, `/v1/enforcement${after}`, {}, signal);
    if (answer.status !== 200) throw new CommandFailed(`enforcement: ${problemText(answer)}`);
    const next = readAnswer(door, answer, standing);
    found = { ...next, accounts: [...(found?.accounts ?? []), ...next.accounts] };
    if (found.next === null) break;
  }
  return found ?? { partitions: [], accounts: [], next: null };
}

/** Sent again after a broken connection it changes nothing: an account is held, or it is not. */
async function carryOut(door: Door, act: Act, { account, reason }: ActOptions): Promise<z.infer<typeof done>> {
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...(account === undefined ? {} : { account_id: account }), reason }),
  } as const;
  const answer = await askDoor(door, `/v1/enforcement/${act}`, request, new AbortController().signal);
  if (answer.status !== 200) throw new CommandFailed(`${act}: ${problemText(answer)}`);
  return readAnswer(door, answer, done);
}

function doneText(act: Act, { account_id: account, by, at, partitions }: z.infer<typeof done>): string {
  const target = account === null ? 'all accounts' : `account ${account}`;
  const said = `${act === 'hold' ? 'held' : 'released'} ${target} at ${at}, as ${by}\n`;
  return act === 'hold' ? said : `${said}${table(partitions.flatMap(partitionRows))}`;
}

function standingText({ partitions, accounts, next }: z.infer<typeof standing>): string {
  const held = accounts.map(({ account_id: id, by, since, reason }) => [`account ${id}`, 'held', by, since, reason]);
  const rest = next === null ? '' : 'more accounts are held than are listed here\n';
  return `${table([...partitions.flatMap(partitionRows), ...held])}${rest}`;
}

function partitionRows({ partition: number, as_of: asOf, hold, brake, suspended }: z.infer<typeof partition>) {
  const name = `partition ${number}`;
  const held = [
    ...(hold === null ? [] : [[name, 'held', hold.by, hold.since, hold.reason]]),
    ...(brake === null ? [] : [[name, 'held', 'its brake', brake.since, brake.reason]]),
    ...(suspended ? [[name, 'held', 'stale input', asOf, 'until it has been fresh for long enough']] : []),
  ];
  return held.length > 0 ? held : [[name, 'goes on', '', asOf, '']];
}

/** A reason is any text: what would move a terminal's cursor is left out. */
function table(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map((cell) => cell.replace(/\p{Cc}+/gu, ' ')));
  return columns(shown, ['left', 'left', 'left', 'left', 'left']);
}
