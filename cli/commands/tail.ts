import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { eventLine } from '../../services/shared/contracts/event-record.ts';
import { TOPICS, type Topic } from '../../services/shared/topics.ts';
import { openReading } from '../access/access.ts';
import { chosenPartition } from '../access/partition.ts';
import { placeOf, type Where } from '../access/place.ts';
import type { Reading } from '../access/port.ts';
import { textsOf } from '../access/records.ts';
import { BadCall } from '../replay.ts';
import { helpEnd, partitionOption, placeOptions, wholeNumber } from './options.ts';
import { type World, write } from './world.ts';

interface TailOptions extends Where {
  readonly partition?: number;
  readonly from?: number;
  readonly follow: boolean;
}

const NAMES: readonly Topic[] = Object.values(TOPICS);
const CONTROL: readonly Topic[] = [TOPICS.alerts, TOPICS.compute, TOPICS.storage];
const POLL_MS = 200;

/** `tollgate tail [TOPIC...]`: what comes on topics, as it comes. Reads beside the instance and disturbs it in nothing. */
export function addTail(program: Command, world: World): void {
  const command = program
    .command('tail')
    .summary('Follow alerts, commands, or any other topic')
    .description('Follow topics of an instance: one record a line, as it comes')
    .argument('[topics...]', `${NAMES.join(', ')}, or control for all control topics (default)`, topics)
    .option(
      '--from <offset>',
      'begin at this offset, 0 for all that is kept (default: at the end, with what is new)',
      wholeNumber,
    )
    .option('--no-follow', 'end at the present end instead of waiting for more');
  placeOptions(command)
    .addOption(partitionOption('this partition only (default: all, in no order among them)'))
    .addHelpText(
      'after',
      helpEnd([
        'tollgate tail                                       # alerts and commands, until interrupted',
        'tollgate tail control.compute --from 0 --no-follow  # every command to a cluster so far',
        'tollgate tail metering.rejected --from 0 --no-follow | jq -r .reason | sort | uniq -c',
      ]),
    )
    .action((followed: readonly Topic[], options: TailOptions) => {
      return tail(followed.length === 0 ? CONTROL : followed, options, world);
    });
}

/** @throws InvalidArgumentError */
function topics(name: string, before: readonly Topic[] | undefined): readonly Topic[] {
  const chosen = name === 'control' ? CONTROL : NAMES.filter((topic) => topic === name);
  if (chosen.length === 0) throw new InvalidArgumentError(`There is ${NAMES.join(', ')}.`);
  return [...new Set([...(before ?? []), ...chosen])];
}

/** A partition of a topic, and the offset that is written next. */
interface Followed {
  readonly topic: Topic;
  readonly partition: number;
  next: number;
}

async function tail(topicsFollowed: readonly Topic[], options: TailOptions, world: World): Promise<void> {
  const { follow } = options;
  const interrupted = follow ? world.interruption() : new AbortController().signal;
  const reading = await openReading(placeOf(options, world.environment));
  try {
    const followed = await begin(reading, topicsFollowed, options);
    for (;;) {
      for (const one of followed) await writeNew(reading, one, world);
      if (!follow || interrupted.aborted) return;
      await delay(POLL_MS, undefined, { signal: interrupted }).catch(() => undefined);
    }
  } finally {
    await reading.close();
  }
}

/** @throws BadCall for an offset above the end, or one that is said of several partitions */
async function begin(reading: Reading, named: readonly Topic[], options: TailOptions): Promise<readonly Followed[]> {
  const { log, partitions } = reading;
  const { from, partition } = options;
  if (from !== undefined && from > 0) chosenPartition(partition, partitions);
  const chosen =
    partition === undefined
      ? Array.from({ length: partitions }, (_, at) => at)
      : [chosenPartition(partition, partitions)];
  const followed: Followed[] = [];
  for (const topic of named) {
    for (const one of chosen) {
      const end = await log.endOffset(topic, one);
      if (from !== undefined && from > end) throw new BadCall(`--from ${from}: ${topic} ends at ${end}`);
      followed.push({ topic, partition: one, next: Math.max(from ?? end, await log.startOffset(topic, one)) });
    }
  }
  return followed;
}

async function writeNew(reading: Reading, followed: Followed, world: World): Promise<void> {
  const { topic, partition, next } = followed;
  const end = await reading.log.endOffset(topic, partition);
  for await (const records of textsOf(reading, topic, partition, { from: next, to: end })) {
    const lines = records.map(({ text, time }) => (topic === TOPICS.events ? eventLine(text, time) : text));
    await write(world.stdout, `${lines.join('\n')}\n`);
  }
  followed.next = end;
}
