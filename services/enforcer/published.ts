import type { EventLog } from '../../platform/log/port.ts';
import { CONTROL_TOPICS, type ControlTopic } from '../shared/contracts/command-line.ts';
import type { Instant } from '../shared/time.ts';
import type { WireFormat } from '../shared/wire/wire-format.ts';

/** By topic, up to which offset it is known what stands there. */
export type PublishedOffsets = Partial<Record<ControlTopic, number>>;

export interface PublishedCommand {
  readonly commandId: string;
  readonly accountId: string;
  readonly sequence: number;
  /** When the log took it. */
  readonly publishedAt: Instant;
}

const LIMITS = { recordsMax: 5000, bytesMax: 8 << 20 } as const;

/** What one partition of the control topics holds from `offsets` on, each command once, and up to where that goes. */
export async function readPublished(
  log: EventLog,
  wire: WireFormat,
  partition: number,
  offsets: PublishedOffsets,
): Promise<{ readonly commands: readonly PublishedCommand[]; readonly offsets: PublishedOffsets }> {
  const commands = new Map<string, PublishedCommand>();
  const ends: PublishedOffsets = {};
  for (const topic of CONTROL_TOPICS) {
    const end = await log.endOffset(topic, partition);
    let offset = Math.max(offsets[topic] ?? 0, await log.startOffset(topic, partition));
    while (offset < end) {
      const records = await log.read(topic, partition, offset, LIMITS);
      await wire.learn(
        topic,
        records.map(({ value }) => value),
      );
      for (const { value, time } of records) {
        const command = readCommand(wire.decode(topic, value), time);
        if (!commands.has(command.commandId)) commands.set(command.commandId, command);
      }
      offset += records.length;
      if (records.length === 0) break;
    }
    ends[topic] = offset;
  }
  return { commands: [...commands.values()], offsets: ends };
}

/** Commands that were published and that the state knows nothing of, each until it is issued again. */
export class PublishedCommands {
  readonly #at: Map<string, Instant>;

  constructor(commands: readonly PublishedCommand[]) {
    this.#at = new Map(commands.map(({ commandId, publishedAt }) => [commandId, publishedAt]));
  }

  get size(): number {
    return this.#at.size;
  }

  /** When a command was published, if it is one of these; asked for once. */
  take(commandId: string): Instant | undefined {
    const at = this.#at.get(commandId);
    this.#at.delete(commandId);
    return at;
  }
}

function readCommand(line: string, publishedAt: Instant): PublishedCommand {
  const { command_id, account_id, sequence }: { command_id: string; account_id: string; sequence: number } =
    JSON.parse(line);
  return { commandId: command_id, accountId: account_id, sequence, publishedAt };
}
