import { z } from 'zod';
import type { WarehouseClient } from '../../platform/warehouse/client.ts';
import type { WarehouseWriter } from '../../platform/warehouse/writer.ts';
import { type CommandPlace, commandLineRow, readCommandRow } from '../../services/enforcer/command-row.ts';
import type { CommandSink } from '../../services/enforcer/enforcer.ts';
import { CONTROL_TOPICS, type ControlTopic } from '../../services/shared/contracts/command-line.ts';
import type { Reading } from '../access/port.ts';
import { textsOf } from '../access/records.ts';

interface ControlOffsets {
  readonly from: number;
  readonly to: number;
}

/** What one partition of the control topics holds, as far as a rebuild needs it: about a hundred bytes a command. */
interface Published {
  readonly topics: ReadonlyMap<ControlTopic, ControlOffsets>;
  /** By id: where the rules issue it, too; undefined until they have. */
  readonly places: Map<string, CommandPlace | undefined>;
  /** By topic: from when on all that was issued is there; `''`: from the beginning; undefined: nothing is. */
  readonly completeFrom: ReadonlyMap<ControlTopic, string | undefined>;
}

const line = z.object({
  command_id: z.string(),
  command: z.string(),
  account_id: z.string(),
  resource: z.object({ kind: z.string() }),
  sequence: z.number(),
  issued_at: z.string(),
});
type Line = z.infer<typeof line>;
const found = z.array(z.object({ offset: z.string().regex(/^\d+$/) }));

export interface RebuiltCommandsOptions {
  readonly reading: Pick<Reading, 'log' | 'wire'>;
  readonly warehouse: WarehouseClient;
  readonly writer: WarehouseWriter;
  readonly partition: number;
}

/**
 * The rows of `commands` in a rebuild. What a control topic still holds counts as it was published: what operators held, or
 * stale input (N9, N11), no log of events knows. Of what is older than that, the rules' own word is the best there is.
 */
export class RebuiltCommands implements CommandSink {
  readonly #options: RebuiltCommandsOptions;
  readonly #published: Published;
  /** Rows written. */
  rows = 0;

  private constructor(options: RebuiltCommandsOptions, published: Published) {
    this.#options = options;
    this.#published = published;
  }

  /** Looks at what the control topics hold. @throws LogError, WireError */
  static async open(options: RebuiltCommandsOptions): Promise<RebuiltCommands> {
    return new RebuiltCommands(options, await readPublished(options));
  }

  /** Takes rows that the rules issue: those of which the control topics do not know any more are written. */
  async insertBlock(_table: 'commands', rows: readonly string[]): Promise<void> {
    const { places, completeFrom } = this.#published;
    const older: string[] = [];
    for (const row of rows) {
      const { line: text, place } = readCommandRow(row);
      const command = line.parse(JSON.parse(text));
      const from = completeFrom.get(topicOf(command));
      if (places.has(command.command_id)) places.set(command.command_id, place);
      else if (from === undefined || command.issued_at < from) older.push(row);
    }
    await this.#insert(older);
  }

  /** Writes what the control topics hold, once the rules have issued all, and the rater's rows are in the warehouse. */
  async writePublished(): Promise<void> {
    const { reading, partition } = this.#options;
    for (const [topic, range] of this.#published.topics) {
      for await (const records of textsOf(reading, topic, partition, range)) {
        const rows: string[] = [];
        for (const { text } of records) {
          const command = line.parse(JSON.parse(text));
          const place = this.#published.places.get(command.command_id) ?? (await this.#placeOf(command));
          rows.push(commandLineRow(text, place));
        }
        await this.#insert(rows);
      }
    }
  }

  /**
   * A command that the rules alone would not have issued rests on the last update of its account before it. Of several of one
   * account and instant it comes first.
   */
  async #placeOf({ account_id: account, issued_at: at, sequence: ordinal }: Line): Promise<CommandPlace> {
    const { warehouse, partition } = this.#options;
    const result = await warehouse.query({
      query:
        'SELECT max(offset) AS offset FROM balance_updates WHERE partition = {partition:UInt32} ' +
        "AND account_id = {account:String} AND at <= parseDateTime64BestEffort({at:String}, 3, 'UTC')",
      query_params: { partition, account, at },
      format: 'JSONEachRow',
    });
    return { partition, offset: Number(found.parse(await result.json())[0]?.offset ?? 0), ordinal };
  }

  async #insert(rows: readonly string[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#options.writer.insertBlock('commands', rows, { token: `rebuild:${this.#options.partition}` });
    this.rows += rows.length;
  }
}

async function readPublished({ reading, partition }: RebuiltCommandsOptions): Promise<Published> {
  const topics = new Map<ControlTopic, ControlOffsets>();
  const places = new Map<string, CommandPlace | undefined>();
  const completeFrom = new Map<ControlTopic, string | undefined>();
  for (const topic of CONTROL_TOPICS) {
    const range = {
      from: await reading.log.startOffset(topic, partition),
      to: await reading.log.endOffset(topic, partition),
    };
    topics.set(topic, range);
    let first: string | undefined = range.from === 0 ? '' : undefined;
    for await (const records of textsOf(reading, topic, partition, range)) {
      for (const { text } of records) {
        const command = line.parse(JSON.parse(text));
        first ??= command.issued_at;
        places.set(command.command_id, undefined);
      }
    }
    completeFrom.set(topic, first);
  }
  return { topics, places, completeFrom };
}

function topicOf({ command, resource }: Line): ControlTopic {
  if (command === 'alert') return 'control.alerts';
  return resource.kind === 'volume' ? 'control.storage' : 'control.compute';
}
