import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Command } from 'commander';
import { type DoorOptions, findDoor } from '../door/door.ts';
import { type Published, publish, type Rejection } from '../publish/publish.ts';
import { progressOn } from '../terminal/progress.ts';
import { doorOptions, helpEnd, positive } from './options.ts';
import { type World, write } from './world.ts';

interface PublishOptions extends DoorOptions {
  readonly speed?: number;
  readonly json?: boolean;
}

/** So many rejections are told one by one; the door keeps all of them in metering.rejected. */
const TOLD_MAX = 20;

/** `tollgate publish FILE`: events of a file into a running system, by its HTTP door. */
export function addPublish(program: Command, world: World): void {
  const command = program
    .command('publish')
    .summary('Send a file of events to a running instance')
    .description('Send the events of a file to a running instance by its HTTP door')
    .argument('<events>', 'NDJSON, one event a line, .gz if packed; - for stdin')
    .option('--speed <n>', "keep the events' own pace, n times as fast (default: as fast as they are taken)", positive)
    .option('--json', 'print the counts as JSON');
  doorOptions(command)
    .addHelpText(
      'after',
      helpEnd(
        [
          'tollgate publish events.ndjson',
          'tollgate publish events.ndjson --url http://127.0.0.1:8080 --speed 60',
          'tollgate log dump --data .tollgate | tollgate publish - --data .another',
        ],
        [
          '1  not all could be sent: send the file again, which does no harm to what was taken',
          '   (events that the door refuses one by one are counted and told, and no failure)',
        ],
      ),
    )
    .action((file: string, options: PublishOptions) => run(file, options, world));
}

async function run(file: string, options: PublishOptions, world: World): Promise<void> {
  const door = findDoor(options, world.settings.key);
  const counts: Published = { accepted: 0, rejected: 0 };
  const progress = progressOn(world.stderr, { label: 'publish', unit: 'events' });
  let told = 0;
  const onRejected = ({ line, reason, detail }: Rejection): void => {
    told += 1;
    if (told <= TOLD_MAX) progress.tell(`line ${line}: ${reason}: ${detail}`);
    if (told === TOLD_MAX + 1)
      progress.tell('more were rejected; all are kept: tollgate tail metering.rejected --from 0');
  };
  try {
    await publish(
      {
        ...{ door, speed: options.speed, interrupted: world.interruption(), onRejected },
        stream: file === '-' ? world.stdin : openEvents(file),
        name: file === '-' ? 'stdin' : file,
        monotonic: () => performance.now(),
        onSent: ({ accepted, rejected }) => progress.show(accepted + rejected, undefined),
      },
      counts,
    );
  } catch (fault) {
    progress.stop();
    if (counts.accepted + counts.rejected > 0) await report();
    throw fault;
  }
  progress.stop();
  await report();

  async function report(): Promise<void> {
    const { accepted, rejected } = counts;
    const sent = accepted + rejected;
    const json = `${JSON.stringify({ sent, accepted, rejected })}\n`;
    await write(
      world.stdout,
      options.json === true ? json : `sent ${sent}, accepted ${accepted}, rejected ${rejected}\n`,
    );
  }
}

/** A file, unpacked if its name says that it is packed; what is wrong with it comes out of the stream. */
function openEvents(file: string): Readable {
  const bytes = createReadStream(file);
  return file.endsWith('.gz') ? pipeline(bytes, createGunzip(), () => undefined) : bytes;
}
