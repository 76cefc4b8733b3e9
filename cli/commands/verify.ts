import type { Command } from 'commander';
import { chosenPartition } from '../access/partition.ts';
import type { Where } from '../access/place.ts';
import type { Access } from '../access/port.ts';
import { CommandFailed } from '../failure.ts';
import { progressOn } from '../terminal/progress.ts';
import type { Difference } from '../verify/difference.ts';
import { type Verification, verify } from '../verify/verify.ts';
import { lookInto } from './looking.ts';
import { helpEnd, partitionOption, placeOptions } from './options.ts';
import { type World, write } from './world.ts';

/** N9 and N11 look at the wall clock and at operators, which the log does not know. */
const COMMANDS = 'commands.ndjson';

/** `tollgate verify`: the bill, proven. */
export function addVerify(program: Command, world: World): void {
  const command = program
    .command('verify')
    .summary('Prove the bill: rate the log anew, and compare')
    .description(
      'Rate the whole log anew and compare with what was stored: lines, ledger, balances, invoices, commands',
    )
    .option('--json', 'print what was found as JSON');
  placeOptions(command)
    .addOption(partitionOption())
    .addHelpText(
      'after',
      helpEnd(
        [
          'tollgate verify',
          'TMPDIR=/var/tmp tollgate verify --data /var/lib/tollgate --json  # takes the room of two exports',
        ],
        ['1  what was stored is not what the log says: the first difference is named; or it could not be read'],
      ),
    )
    .action((options: VerifyOptions) => run(options, world));
}

interface VerifyOptions extends Where {
  readonly partition?: number;
  readonly json?: boolean;
}

async function run(options: VerifyOptions, world: World): Promise<void> {
  const { end, differences, dump } = await lookInto(options, world, async (access) => {
    const partition = chosenPartition(options.partition, access.partitions);
    const dump = access.partitions === 1 ? 'log dump' : `log dump --partition ${partition}`;
    return { ...(await verified(access, partition, world)), dump };
  });
  const held = differences.get(COMMANDS);
  const [first] = [...differences].filter(([file]) => file !== COMMANDS);
  if (options.json === true) {
    const told = [...differences].map(([file, { line, left, right }]) => {
      return [file, { line, stored: left ?? null, rated_anew: right ?? null }] as const;
    });
    const found = { end: end.offset, verified: first === undefined, differences: Object.fromEntries(told) };
    await write(world.stdout, `${JSON.stringify(found)}\n`);
  } else if (first === undefined) {
    await write(world.stdout, `verified: rating all ${end.offset} events of the log anew gives what was stored\n`);
  }
  if (held !== undefined) {
    world.stderr.write(
      `${COMMANDS} differs, as it may where enforcement was held by the wall clock (N9) or by operators (N11); ` +
        `the bill does not rest on it\n${told(held)}\n`,
    );
  }
  if (first === undefined) return;
  const [file, difference] = first;
  throw new CommandFailed(
    `${file} is not what the log says, from line ${difference.line} on:\n${told(difference)}\n` +
      'keep the folder as it is for whoever looks into it; the log is the truth, and what it says is: ' +
      `tollgate ${dump} | tollgate replay /dev/stdin --out DIR`,
  );
}

async function verified(access: Access, partition: number, world: World): Promise<Verification> {
  const reading = progressOn(world.stderr, { label: 'read what was stored', unit: 'rows' });
  const rating = progressOn(world.stderr, { label: 'rate anew', unit: 'events' });
  try {
    return await verify(access, partition, {
      read: (rows) => reading.show(rows, undefined),
      rated: (events, of) => {
        reading.stop();
        rating.show(events, of);
      },
    });
  } finally {
    reading.stop();
    rating.stop();
  }
}

function told({ line, left, right }: Difference): string {
  return `  line ${line} as stored:      ${left ?? '(none)'}\n  line ${line} as rated anew:  ${right ?? '(none)'}`;
}
