import { openMemoryState } from '../../platform/state/memory-state.ts';
import type { WarehouseClient } from '../../platform/warehouse/client.ts';
import { createWarehouseWriter } from '../../platform/warehouse/writer.ts';
import { Enforcer } from '../../services/enforcer/enforcer.ts';
import { isSameLog } from '../../services/rater/checkpoint-meta.ts';
import { Rater } from '../../services/rater/rater.ts';
import { warehouseRows } from '../../services/rater/warehouse-rows.ts';
import { RULES_VERSION, TOPICS } from '../../services/shared/topics.ts';
import type { Reading } from '../access/port.ts';
import { CommandFailed } from '../failure.ts';
import { RebuiltCommands } from './rebuild-commands.ts';
import { RebuildLog, rebuildWire } from './rebuild-log.ts';

/** What was rebuilt of one partition. */
export interface Rebuilt {
  readonly partition: number;
  /** All events before it were rated anew. */
  readonly to: number;
  readonly rows: number;
  readonly commands: number;
}

export interface RebuildOptions {
  readonly reading: Reading;
  /** Of the tables, which exist. */
  readonly warehouse: WarehouseClient;
  readonly partition: number;
  /** Told how many events of all were rated. */
  readonly progress: (events: number, of: number) => void;
  /** Told what its rater and enforcer warn of. */
  readonly warn: (text: string) => void;
}

const RUN = { runRecordsMax: 2000, runBytesMax: 4 << 20 } as const;
const GROUP_RECORDS = 20_000;
const ACCOUNTS_MAX = 50_000;

/**
 * Makes a partition's rows in the warehouse anew, up to the checkpoint, from the log: the rater and the enforcer that run in a
 * cluster run here on a state in memory, and nothing of what they do but rows leaves this process. Rows that are there
 * already are written again, the same. Needs as much memory as the partition's state.
 * @throws CommandFailed if the log does not hold all events up to the checkpoint; LogError, WireError, StateError, WarehouseError
 */
export async function rebuildPartition(options: RebuildOptions): Promise<Rebuilt> {
  const { reading, warehouse, partition, progress } = options;
  const to = await rebuildEnd(reading, partition);
  const writer = createWarehouseWriter({ client: warehouse });
  const commands = await RebuiltCommands.open({ reading, warehouse, writer, partition });
  const sink = warehouseRows(warehouse, writer);
  let rows = 0;
  const counted: typeof sink = {
    ...sink,
    insertBlock: async (table, block, insert) => {
      await sink.insertBlock(table, block, insert);
      rows += block.length;
    },
  };
  await refold(options, to, { rater: counted, enforcer: commands });
  await commands.writePublished();
  progress(to, to);
  return { partition, to, rows, commands: commands.rows };
}

/** Up to where the partition was rated and checkpointed. */
async function rebuildEnd({ log, state }: Reading, partition: number): Promise<number> {
  const { checkpoint } = await state.peek(`rater/${partition}`, []);
  if (checkpoint === undefined) return 0;
  if (checkpoint.version !== `${RULES_VERSION}`) {
    throw new CommandFailed(
      `partition ${partition} was rated by version ${checkpoint.version} of the rules, this program knows ` +
        `${RULES_VERSION}: rebuild with the release that wrote it`,
    );
  }
  const start = await log.startOffset(TOPICS.events, partition);
  const end = await log.endOffset(TOPICS.events, partition);
  if (start === 0 && end >= checkpoint.nextOffset) {
    if (await isSameLog(log, partition, checkpoint)) return checkpoint.nextOffset;
    throw new CommandFailed(
      `partition ${partition}: its log is not the one that was rated; restore it first (docs/recovery.md)`,
    );
  }
  throw new CommandFailed(
    `partition ${partition} was rated up to ${checkpoint.nextOffset}, and its log holds ${start} to ${end} only: ` +
      'what is not in the log cannot be rated anew; restore the warehouse from a copy',
  );
}

interface Sinks {
  readonly rater: ConstructorParameters<typeof Rater>[0]['rows'];
  readonly enforcer: RebuiltCommands;
}

async function refold({ reading, partition, progress, warn }: RebuildOptions, to: number, rows: Sinks): Promise<void> {
  const log = new RebuildLog(reading.log, to);
  const state = openMemoryState();
  const tell = (_fields: object, message: string): void => warn(`partition ${partition}: ${message}`);
  const deps = {
    ...{ log, state, wire: rebuildWire(reading.wire) },
    logger: { info: () => undefined, warn: tell, error: tell },
    now: () => 0, // a group ends by its records alone, and nothing is held against the clock of this machine
  };
  const rater = new Rater(
    {
      ...deps,
      rows: rows.rater,
      sleep: async () => undefined, // it waits at the end of the log only, for what will not come
      observer: {
        folded: () => progress(rater.progress.folded, to),
        committed: () => undefined,
        booked: () => undefined,
      },
    },
    {
      ...{
        partition,
        ...RUN,
        groupRecordsMax: GROUP_RECORDS,
        groupMs: Number.MAX_SAFE_INTEGER,
        accountsMax: ACCOUNTS_MAX,
      },
      partitions: 1, // prices stand in the logs of the others already
      clockJumpMaxMs: undefined,
    },
  );
  const enforcer = new Enforcer(
    {
      ...deps,
      rows: rows.enforcer,
      sleep: aborted,
      observer: { issued: () => undefined, committed: () => undefined, outbox: () => undefined },
    },
    { partition, live: false, past: true, ...RUN, wallClockMs: 0, checkpointRecordsMax: GROUP_RECORDS },
  );
  await rater.start();
  await enforcer.start();
  const stop = new AbortController();
  const enforcing = enforcer.run(stop.signal);
  enforcing.catch((fault: unknown) => log.breakOff(fault));
  try {
    await rater.run(log.ended);
    await log.drained();
  } finally {
    stop.abort();
    await enforcing;
    await Promise.all([log.close(), state.close()]);
  }
}

/** In a rebuild no time passes: the enforcer waits for the rater. */
function aborted(_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
