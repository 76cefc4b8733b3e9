import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { LogReader } from '../../platform/log/port.ts';
import { eventLine } from '../../services/shared/contracts/event-record.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { openReading } from '../embedded/access.ts';
import { recordsOf } from '../export/log-end.ts';
import { BadCall } from '../replay.ts';
import { dataOption, helpEnd, partitionOption, wholeNumber } from './options.ts';
import { type World, write } from './world.ts';

interface TailOptions {
  readonly data: string;
  readonly partition: number;
  readonly from?: number;
  readonly follow: boolean;
}

type Topic = (typeof TOPICS)[keyof typeof TOPICS];

const NAMES: readonly Topic[] = Object.values(TOPICS);
const CONTROL: readonly Topic[] = [TOPICS.alerts, TOPICS.compute, TOPICS.storage];
const POLL_MS = 200;

/** `tollgate tail [TOPIC...]`: what comes on topics, as it comes. Reads beside the instance and disturbs it in nothing. */
export function addTail(program: Command, world: World): void {
  program
    .command('tail')
    .summary('Follow alerts, commands, or any other topic')
    .description('Follow topics of an instance: one record a line, as it comes')
    .argument('[topics...]', `${NAMES.join(', ')}, or control for all control topics (default)`, topics)
    .option(
      '--from <offset>',
      'begin at this offset, 0 for all that is kept (default: at the end, with what is new)',
      wholeNumber,
    )
    .option('--no-follow', 'end at the present end instead of waiting for more')
    .addOption(dataOption())
    .addOption(partitionOption())
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

async function tail(followed: readonly Topic[], options: TailOptions, world: World): Promise<void> {
  const { partition, from, follow } = options;
  const interrupted = follow ? world.interruption() : new AbortController().signal;
  const reading = await openReading(options.data);
  try {
    const next = new Map<Topic, number>();
    for (const topic of followed) {
      const end = await reading.log.endOffset(topic, partition);
      if (from !== undefined && from > end) throw new BadCall(`--from ${from}: ${topic} ends at ${end}`);
      const start = await reading.log.startOffset(topic, partition);
      next.set(topic, Math.max(from ?? end, start));
    }
    for (;;) {
      for (const [topic, offset] of next) next.set(topic, await writeNew(reading.log, topic, offset));
      if (!follow || interrupted.aborted) return;
      await delay(POLL_MS, undefined, { signal: interrupted }).catch(() => undefined);
    }
  } finally {
    await reading.close();
  }

  async function writeNew(log: LogReader, topic: Topic, offset: number): Promise<number> {
    const end = await log.endOffset(topic, partition);
    for await (const records of recordsOf(log, topic, partition, { from: offset, to: end })) {
      let text = '';
      for (const { value, time } of records) {
        const line = value.toString('utf8');
        text += `${topic === TOPICS.events ? eventLine(line, time) : line}\n`;
      }
      await write(world.stdout, text);
    }
    return end;
  }
}
