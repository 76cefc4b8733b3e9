import { Readable } from 'node:stream';
import type { Access } from '../../../cli/access/port.ts';
import type { Door } from '../../../cli/door/door.ts';
import { type Published, publish } from '../../../cli/publish/publish.ts';
import { TOPICS } from '../../../services/shared/topics.ts';

/**
 * Publishes lines of events, each with its own time, by the HTTP door of a cluster, and waits until all is rated and enforced.
 * Prices go through partition 0 to the others, and would come after events that were published meanwhile: it is waited for
 * them, as in real time there is time for them.
 * @returns what the door took and refused
 */
export async function publishWithPrices(door: Door, access: Access, lines: readonly string[]): Promise<Published> {
  const counts: Published = { accepted: 0, rejected: 0 };
  const send = async (part: readonly string[]): Promise<void> => {
    await publish(
      {
        ...{ door, stream: Readable.from(part.map((line) => `${line}\n`)), name: 'events', speed: undefined },
        monotonic: () => performance.now(),
        interrupted: new AbortController().signal,
        ...{ onRejected: () => undefined, onSent: () => undefined },
      },
      counts,
    );
  };
  let begin = 0;
  for (const [at, line] of lines.entries()) {
    if (!line.includes('"type":"prices.published"')) continue;
    await send(lines.slice(begin, at + 1));
    begin = at + 1;
    await allProcessed(access);
  }
  await send(lines.slice(begin));
  await allProcessed(access);
  return counts;
}

/** All that is in the log now, and what partition 0 has forwarded to the others. */
export async function allProcessed(access: Access): Promise<void> {
  for (let partition = 0; partition < access.partitions; partition += 1) {
    await access.processed(partition, await access.log.endOffset(TOPICS.events, partition));
  }
}
