import type { Command } from 'commander';
import { z } from 'zod';
import { storedAccount } from '../../services/ingest/backend/stored-account.ts';
import { accountJson } from '../../services/ingest/wire.ts';
import { partitionOf } from '../../services/shared/partition.ts';
import { answeringDoor, openReading } from '../access/access.ts';
import { recordsBehind } from '../access/partition.ts';
import { type Place, placeOf } from '../access/place.ts';
import { askDoor, type DoorOptions, findDoor, problemText, readAnswer } from '../door/door.ts';
import { CommandFailed } from '../failure.ts';
import { columns } from '../terminal/columns.ts';
import { helpEnd, placeOptions, urlOptions } from './options.ts';
import { type World, write } from './world.ts';

interface BalanceOptions extends DoorOptions {
  readonly json?: boolean;
}

const account = z.object({
  account_id: z.string(),
  as_of: z.string(),
  balance: z.string(),
  granted: z.string(),
  refunded: z.string(),
  charged: z.string(),
  expired: z.string(),
  burn_rate: z.string(),
  runway_hours: z.number().nullable(),
  level: z.string(),
  coming: z.array(
    z.object({
      resource: z.object({ kind: z.string(), id: z.string() }),
      command: z.string(),
      scope: z.string(),
      gpus: z.number().optional(),
      at: z.string(),
    }),
  ),
});

/** `tollgate balance ACCOUNT`: how an account stands, and what comes when. */
export function addBalance(program: Command, world: World): void {
  const command = program
    .command('balance')
    .summary('How an account stands, and what is coming to it')
    .description('How an account stands: balance, burn rate, runway, and what is coming to it')
    .argument('<account>', 'id of the account')
    .option('--json', 'print it as JSON');
  placeOptions(urlOptions(command))
    .addHelpText(
      'after',
      helpEnd(
        ['tollgate balance acme', 'tollgate balance acme --json | jq .runway_hours'],
        ['1  no such account, or it could not be asked'],
      ),
    )
    .action(async (accountId: string, options: BalanceOptions) => {
      const place = placeOf(options, world.environment);
      const runs = options.url !== undefined || (await answeringDoor(place)) !== undefined;
      const found = await (runs ? ask(accountId, options, world) : look(accountId, place, world));
      await write(
        world.stdout,
        options.json === true ? `${JSON.stringify(found)}\n` : balanceText(account.parse(found)),
      );
    });
}

async function ask(accountId: string, options: BalanceOptions, world: World): Promise<object> {
  const door = findDoor(options, world.settings.key);
  const answer = await askDoor(door, `/v1/accounts/${encodeURIComponent(accountId)}`, {}, new AbortController().signal);
  if (answer.status === 404) throw unknownAccount(accountId);
  if (answer.status !== 200) throw new CommandFailed(`account ${accountId}: ${problemText(answer)}`);
  return readAnswer(door, answer, account);
}

/** Without a door: as of the last checkpoint, which may be behind the end of the log. */
async function look(accountId: string, place: Place, world: World): Promise<object> {
  const reading = await openReading(place);
  try {
    const partition = partitionOf(accountId, reading.partitions);
    const behind = await recordsBehind(reading, partition);
    if (behind > 0) {
      const remedy = place.kind === 'embedded' ? `; start the instance (tollgate start --data ${place.data})` : '';
      world.stderr.write(`events of the log that are not in this yet: ${behind}${remedy}\n`);
    }
    const view = await storedAccount(reading.state, partition, accountId);
    if (view === undefined) throw unknownAccount(accountId);
    return account.parse(JSON.parse(JSON.stringify(accountJson(view))));
  } finally {
    await reading.close();
  }
}

function unknownAccount(accountId: string): CommandFailed {
  return new CommandFailed(
    `account ${JSON.stringify(accountId)} was not opened: check its id, or send account.opened first`,
  );
}

function balanceText(view: z.infer<typeof account>): string {
  const money = [view.balance, view.granted, view.refunded, view.charged, view.expired, view.burn_rate];
  const digits = Math.max(...money.map((amount) => amount.length));
  const usd = (amount: string, unit = 'USD'): string => `${amount.padStart(digits)} ${unit}`;
  const standing = columns(
    [
      ['account', view.account_id],
      ['as of', view.as_of],
      ['level', view.level],
      ['balance', usd(view.balance)],
      ['  granted', usd(view.granted)],
      ['  refunded', usd(view.refunded)],
      ['  charged', usd(view.charged)],
      ['  expired', usd(view.expired)],
      ['burn rate', usd(view.burn_rate, 'USD/h')],
      ['runway', view.runway_hours === null ? 'nothing burns' : `${view.runway_hours} h`],
    ],
    ['left', 'left'],
  );
  if (view.coming.length === 0) return standing;
  const coming = view.coming.map(({ command, resource, scope, gpus, at }) => {
    const what = gpus === undefined ? '' : `${gpus} GPUs`;
    return [at, command, `${resource.kind} ${resource.id}`, scope === resource.kind ? what : `${scope} ${what}`.trim()];
  });
  return `${standing}\ncoming, as things stand\n${columns(coming, ['left', 'left', 'left', 'left'])}`;
}
