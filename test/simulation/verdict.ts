import { PARTITION_OF_PRICES } from '../../services/shared/partition.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { replayed, type Undisturbed, undisturbed } from './expected.ts';
import { exported } from './exported.ts';
import { recordsOf } from './shared-log.ts';
import type { World } from './world.ts';

const SHOWN = 400;

/** What is wrong with the outcome of a simulation that was run to its end; empty if all is as the rules have it. */
export function faultsOf(world: World): readonly string[] {
  const found = world.unexpected.map((fault) => `unexpected: ${fault instanceof Error ? fault.stack : String(fault)}`);
  if (found.length > 0) return found;
  found.push(...world.warehouse.changed.map((fault) => `4 rows changed: ${fault.message}`));
  for (const { partition, offset, text } of world.acknowledged) {
    const kept = recordsOf(world.log.disk, TOPICS.events, partition)[offset]?.value.toString('utf8');
    if (kept !== text) found.push(`E4: an acknowledged event is not in the log at ${partition}/${offset}: ${text}`);
  }
  for (let partition = 0; partition < world.settings.partitions; partition += 1) {
    found.push(...ofPartition(world, partition).map((fault) => `partition ${partition}: ${fault}`));
  }
  return found;
}

function ofPartition(world: World, partition: number): readonly string[] {
  const records = recordsOf(world.log.disk, TOPICS.events, partition);
  const expected = undisturbed(partition, records);
  const found: string[] = [];
  for (const [table, rows] of expected.tables) {
    found.push(...difference(`rows of ${table}`, rows, world.warehouse.ofPartition(table, partition)));
  }
  found.push(...updateFaults(world, partition, expected));
  const rejected = recordsOf(world.log.disk, TOPICS.rejected, partition).map(({ value }) => value.toString('utf8'));
  found.push(...difference('E4: records of metering.rejected', expected.rejected, firstOnes(rejected)));
  found.push(...controlFaults(world, partition));
  found.push(...forwardFaults(world, partition));
  const replay = replayed(records);
  const stored = exported(world, partition);
  for (const [file, lines] of Object.entries(replay.rows)) {
    if (world.settings.live && file === 'commands') continue;
    found.push(...difference(`L10: ${file}`, lines, stored[file as keyof typeof stored]));
  }
  return found;
}

/** E1: every price that the first partition has applied is in every other one, in order; repeats do no harm. */
function forwardFaults(world: World, partition: number): readonly string[] {
  if (partition === PARTITION_OF_PRICES) return [];
  const judged = recordsOf(world.log.disk, TOPICS.events, PARTITION_OF_PRICES);
  const expected = firstOnes(undisturbed(PARTITION_OF_PRICES, judged).forwards);
  const texts = recordsOf(world.log.disk, TOPICS.events, partition).map(({ value }) => value.toString('utf8'));
  const got = firstOnes(texts.filter((text) => text.startsWith('{"forwarded":true,')));
  return difference('E1: forwarded prices', expected, got);
}

/** B1, B3: every update is there, in order, repeats are the same, and a watermark follows what it covers. */
function updateFaults(world: World, partition: number, expected: Undisturbed): readonly string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  const updates: string[] = [];
  for (const { value } of recordsOf(world.log.disk, TOPICS.updates, partition)) {
    const text = value.toString('utf8');
    const record: { kind: string; clock: number; next_offset: number } = JSON.parse(text);
    if (record.kind !== 'watermark') {
      if (!seen.has(text)) updates.push(text);
      seen.add(text);
      continue;
    }
    const clock = expected.clocks[record.next_offset - 1];
    if (clock !== record.clock) found.push(`B3: the watermark ${text} is not of the clock ${clock}`);
    const covered = updates.length === 0 ? -1 : offsetOf(updates[updates.length - 1] ?? '');
    const next = expected.updates[updates.length];
    if (next !== undefined && (offsetOf(next) ?? Number.POSITIVE_INFINITY) < record.next_offset) {
      found.push(`B3: the watermark ${text} comes before the update ${next}, after ${covered}`);
    }
  }
  return [...found, ...difference('B1: records of balance.updates', expected.updates, updates)];
}

/** The offset that an account's record names; a resource's record names none. */
function offsetOf(text: string): number | undefined {
  const { offset }: { offset?: number } = JSON.parse(text);
  return offset;
}

/** N8: no command twice with other content, sequences that rise, and on the topics what is in the warehouse. */
function controlFaults(world: World, partition: number): readonly string[] {
  const found: string[] = [];
  const stored = new Map(
    world.warehouse
      .rows('commands')
      .filter(({ row }) => row[19] === partition)
      .map(({ row }) => [String(row[0]), String(row[18])]),
  );
  const bodies = new Map<string, string>();
  const sequences = new Map<string, number>();
  for (const topic of [TOPICS.alerts, TOPICS.compute, TOPICS.storage]) {
    for (const { key, value } of recordsOf(world.log.disk, topic, partition)) {
      const body = value.toString('utf8');
      const { command_id: id, sequence }: { command_id: string; sequence: number } = JSON.parse(body);
      const before = bodies.get(id);
      if (before !== undefined && before !== body) found.push(`N8: ${id} was ${before}, now ${body}`);
      if (before === undefined) {
        const resource = `${topic} ${key}`;
        const last = sequences.get(resource) ?? 0;
        if (sequence <= last) found.push(`N8: ${id} has sequence ${sequence}, after ${last} of ${resource}`);
        sequences.set(resource, sequence);
      }
      bodies.set(id, body);
      if (stored.get(id) !== body) found.push(`N8: ${id} is on ${topic} as ${body}, stored as ${stored.get(id)}`);
    }
  }
  for (const id of stored.keys()) if (!bodies.has(id)) found.push(`N8: ${id} was stored and never published`);
  return found;
}

function firstOnes(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

function difference(what: string, expected: readonly string[], got: readonly string[]): readonly string[] {
  const at = expected.findIndex((line, index) => line !== got[index]);
  const index = at < 0 ? expected.length : at;
  if (at < 0 && got.length === expected.length) return [];
  const shown = (text: string | undefined): string => (text === undefined ? 'nothing' : text.slice(0, SHOWN));
  return [
    `${what}: ${got.length} instead of ${expected.length}; at ${index} expected ${shown(expected[index])}, ` +
      `got ${shown(got[index])}`,
  ];
}
