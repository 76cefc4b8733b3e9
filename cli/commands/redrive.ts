import { type Command, InvalidArgumentError, Option } from 'commander';
import { REJECTION_REASONS } from '../../services/shared/contracts/event.ts';
import { isId } from '../../services/shared/contracts/parse-event.ts';
import { answeringDoor } from '../access/access.ts';
import { placeOf } from '../access/place.ts';
import type { Access } from '../access/port.ts';
import { type Door, type DoorOptions, findDoor } from '../door/door.ts';
import { CommandFailed } from '../failure.ts';
import { type Redriven, redrive } from '../redrive/redrive.ts';
import type { RejectedEvent } from '../redrive/rejected-event.ts';
import { type Choice, FORBIDDEN, type Selection } from '../redrive/selection.ts';
import { Tally } from '../redrive/tally.ts';
import { progressOn } from '../terminal/progress.ts';
import { lookInto } from './looking.ts';
import { helpEnd, placeOptions, urlOptions } from './options.ts';
import { type World, write } from './world.ts';

interface RedriveCall extends DoorOptions {
  readonly reason?: readonly string[];
  readonly account?: string;
  readonly id?: readonly string[];
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** About 100 bytes each. */
const EVENTS_MAX = 500_000;
/** So many events are told one by one. */
const TOLD_MAX = 20;

/** E4: `tollgate redrive`: rejected events in again, once the cause is gone. */
export function addRedrive(program: Command, world: World): void {
  const command = program
    .command('redrive')
    .summary('Send rejected events in again')
    .description(
      'Send rejected events in again, as they were sent at first, once the cause is gone: a price was published, an ' +
        'account opened. Usage is sent, but for what was applied since. An act of an operator (a grant, a purchase, a ' +
        'price, ...) is sent only when it is named by --id: to repeat it later than it was meant is a decision. What a key ' +
        'was forbidden to send goes in only by --reason forbidden or --id. Needs the running instance and its folder, or the ' +
        'running cluster.',
    )
    .addOption(
      new Option('--reason <reason>', 'only what was rejected for this; may be given again')
        .choices([...REJECTION_REASONS, FORBIDDEN])
        .argParser(reasons),
    )
    .option('--account <id>', 'only events of this account', accountId)
    .option('--id <source/id>', 'only this event, acts too; may be given again', eventNames)
    .option('--dry-run', 'send nothing, only say what would be sent and what not')
    .option('--json', 'print the counts as JSON');
  placeOptions(urlOptions(command))
    .addHelpText(
      'after',
      helpEnd(
        [
          'tollgate redrive --dry-run',
          'tollgate redrive --reason no_price --reason unknown_account',
          'tollgate redrive --account acme --id billing/grant-2026-05',
        ],
        [
          '1  not all could be sent, or what is named is not among the rejected: stderr says why',
          '   (what is rejected again is counted and told, and no failure; running it again does no harm)',
        ],
      ),
    )
    .action((call: RedriveCall) => run(call, world));
}

const REASONS: readonly string[] = [...REJECTION_REASONS, FORBIDDEN];

/** @throws InvalidArgumentError */
function reasons(text: string, before: readonly string[] | undefined): readonly string[] {
  if (!REASONS.includes(text)) throw new InvalidArgumentError(`There is ${REASONS.join(', ')}.`);
  return [...(before ?? []), text];
}

/** @throws InvalidArgumentError */
function accountId(text: string): string {
  if (!isId(text)) throw new InvalidArgumentError('It must be the id of an account.');
  return text;
}

/** The source may hold a slash, the id may not. @throws InvalidArgumentError */
function eventNames(text: string, before: readonly string[] | undefined): readonly string[] {
  const slash = text.lastIndexOf('/');
  if (slash < 1 || !isId(text.slice(slash + 1))) {
    throw new InvalidArgumentError('It must be the source and the id of an event, such as billing/grant-7.');
  }
  return [...(before ?? []), text];
}

async function run(call: RedriveCall, world: World): Promise<void> {
  const { data, dryRun = false } = call;
  const place = placeOf(call, world.environment);
  if (place.kind === 'embedded' && (await answeringDoor(place)) === undefined) {
    throw new CommandFailed(
      `no instance runs on ${data}: start it first (tollgate start --data ${data}); what is sent goes through its log`,
    );
  }
  const door = dryRun ? undefined : findDoor(call, world.settings.key);
  const tally = new Tally();
  const { unknown, complete } = await lookInto(call, world, (access) => redriven(access, door, tally, call, world));
  if (unknown.length > 0) throw new CommandFailed(`not among the rejected events: ${unknown.join(', ')}`);
  if (!complete) {
    throw new CommandFailed(
      `more than ${EVENTS_MAX / 2} different events are rejected: run it again once these are applied, or narrow it down ` +
        'with --reason or --account',
    );
  }
  if (tally.pending > 0) {
    throw new CommandFailed(
      `the rater is behind, and did not tell in time what became of ${tally.pending}: run it again later`,
    );
  }
}

/** Redrives, and reports what became of what, also if it breaks off. */
function redriven(
  access: Access,
  door: Door | undefined,
  tally: Tally,
  call: RedriveCall,
  world: World,
): Promise<Redriven> {
  const { dryRun = false, json = false } = call;
  const reading = progressOn(world.stderr, { label: 'read the log', unit: 'records' });
  const sending = progressOn(world.stderr, { label: 'redrive', unit: 'events' });
  const tell = upTo(TOLD_MAX, sending.tell);
  const report = async (): Promise<void> => {
    reading.stop();
    sending.stop();
    await write(world.stdout, json ? `${JSON.stringify(tally.json(dryRun))}\n` : tally.text(dryRun));
  };
  return redrive({
    ...{ access, door, tally, doubtful: call.url !== undefined, eventsMax: EVENTS_MAX },
    selection: selectionOf(call),
    interruption: world.interruption,
    onEvent: (rejected, choice) => {
      reading.stop();
      if (dryRun) tell(dryText(rejected, choice));
    },
    onFate: (event, fate) => {
      if (fate.kind === 'rejected') tell(`${event.name} of ${String(event.account)}: ${fate.reason}: ${fate.detail}`);
    },
    progress: { read: reading.show, sent: sending.show },
  }).finally(report);
}

function dryText({ event, reason }: RejectedEvent, choice: Choice): string {
  const what = `${event.name} (${String(event.type)}) of ${String(event.account)}, rejected as ${reason}`;
  return choice === 'send' ? `would send ${what}` : `would skip ${what}: ${choice}`;
}

function selectionOf({ reason, account, id }: RedriveCall): Selection {
  return {
    reasons: reason === undefined ? undefined : new Set(reason),
    account,
    names: id === undefined ? undefined : new Set(id),
  };
}

function upTo(most: number, tell: (line: string) => void): (line: string) => void {
  let told = 0;
  return (line) => {
    told += 1;
    if (told <= most) tell(line);
    if (told === most + 1) tell('...');
  };
}
