import { once } from 'node:events';
import { createReadStream, createWriteStream, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openAccess } from '../../cli/access/access.ts';
import { placeOf } from '../../cli/access/place.ts';
import type { Access } from '../../cli/access/port.ts';
import { textsOf } from '../../cli/access/records.ts';
import { exportTo } from '../../cli/export/export.ts';
import { replayFile } from '../../cli/replay.ts';
import { eventLine } from '../../services/shared/contracts/event-record.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { SOURCE } from './fleet.ts';
import type { Journal } from './journal.ts';
import { judgeTopics } from './judge-topics.ts';
import { placesIn } from './places.ts';

export interface Verdict {
  /** What does not hold, in words; none: all holds. */
  readonly faults: readonly string[];
  /** What was compared: names and numbers. */
  readonly figures: Readonly<Record<string, number>>;
}

export interface JudgeOptions {
  /** The cluster's. */
  readonly folder: string;
  /** What is compared is kept here. */
  readonly out: string;
  readonly journal: Journal;
  readonly tell: (line: string) => void;
}

const FAULTS_MAX = 50;

/** Where what was acknowledged must stand: of a partition, by offset, the event's id. */
type Acknowledged = ReadonlyMap<number, ReadonlyMap<number, string>>;

/**
 * Waits until all of the log is processed, and looks at everything that the cluster has made of it:
 * - for each partition the export is the replay of the log, byte for byte, and so every event has one of three verdicts;
 * - every event that was acknowledged stands in the log where its sender was told, every sample somewhere;
 * - nothing stands in the log that nobody sent;
 * - the topics tell the same, without gap or contradiction (judge-topics.ts).
 */
export async function judge({ folder, out, journal, tell }: JudgeOptions): Promise<Verdict> {
  const faults: string[] = [];
  const fault = (text: string): void => {
    if (faults.length < FAULTS_MAX) faults.push(text);
  };
  const figures: Record<string, number> = {};
  const count = (name: string, by: number): void => {
    figures[name] = (figures[name] ?? 0) + by;
  };
  const { acknowledged, refused, sent, samples } = await toldIn(journal, count);
  const access = await openAccess(placeOf({ data: folder }, {}), Date.now);
  try {
    const seen = new Set<string>();
    for (let partition = 0; partition < access.partitions; partition += 1) {
      const places = placesIn(out, partition);
      const { offset: end } = await exportTo(access, places.exported, partition);
      tell(`partition ${partition}: exported up to ${end}`);
      await dump(access, partition, end, places.log);
      await replayFile({ eventsPath: places.log, outDir: places.replayed });
      const difference = differenceOf(places.exported, places.replayed);
      if (difference !== undefined) fault(`partition ${partition}: export and replay differ: ${difference}`);
      count('events in the log', end);
      for (const [name, lines] of linesOf(places.replayed)) count(name, lines);
      const repeats = await compareLog(places.log, acknowledged.get(partition) ?? new Map(), sent, seen, (text) =>
        fault(`partition ${partition}: ${text}`),
      );
      count('events that came again', repeats);
    }
    for (const id of samples) if (!seen.has(id)) fault(`sample ${id} is nowhere in the log`);
    await judgeTopics({ access, out, refused, fault, count, tell });
  } finally {
    await access.close();
  }
  return { faults, figures };
}

async function toldIn(
  journal: Journal,
  count: (name: string, by: number) => void,
): Promise<{
  readonly acknowledged: Acknowledged;
  /** Of events that the door refused, by id: the reason. */
  readonly refused: ReadonlyMap<string, string>;
  /** Ids of all that was ever sent, whatever became of it. */
  readonly sent: ReadonlySet<string>;
  /** Ids of the samples that Kafka has. */
  readonly samples: ReadonlySet<string>;
}> {
  const acknowledged = new Map<number, Map<number, string>>();
  const refused = new Map<string, string>();
  const sent = new Set<string>();
  const samples = new Set<string>();
  for await (const told of journal.read()) {
    if (told[0] === 'sending') {
      for (const id of told[1]) sent.add(id);
    } else if (told[0] === 'accepted') {
      const [, id, partition, offset] = told;
      const of = acknowledged.get(partition) ?? new Map<number, string>();
      acknowledged.set(partition, of);
      of.set(offset, id);
      count('events acknowledged', 1);
    } else if (told[0] === 'refused') {
      if (told[1] !== null) refused.set(told[1], told[2]);
      count('events refused by the door', 1);
    } else {
      samples.add(told[1]);
      count('samples acknowledged', 1);
    }
  }
  return { acknowledged, refused, sent, samples };
}

/** The log as `tollgate log dump` writes it. */
async function dump(access: Access, partition: number, to: number, path: string): Promise<void> {
  const file = createWriteStream(path);
  for await (const records of textsOf(access, TOPICS.events, partition, { from: 0, to })) {
    const text = records.map((record) => `${eventLine(record.text, record.time)}\n`).join('');
    if (!file.write(text)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
}

/** @returns how many events stand there again: sent twice on purpose, after no answer came, or by a carrier that began anew */
async function compareLog(
  path: string,
  acknowledged: ReadonlyMap<number, string>,
  sent: ReadonlySet<string>,
  seen: Set<string>,
  fault: (text: string) => void,
): Promise<number> {
  let offset = 0;
  let repeats = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const { id, source, forwarded }: { id: string; source: string; forwarded?: boolean } = JSON.parse(line);
    const told = acknowledged.get(offset);
    if (told !== undefined && (told !== id || source !== SOURCE)) {
      fault(`${told} was acknowledged at offset ${offset}, where the log has ${line}`);
    }
    if (!sent.has(id)) fault(`offset ${offset} has an event that nobody sent: ${line}`);
    if (seen.has(id) && forwarded !== true) repeats += 1;
    seen.add(id);
    offset += 1;
  }
  for (const [at, id] of acknowledged)
    if (at >= offset) fault(`${id} was acknowledged at ${at}, the log ends at ${offset}`);
  return repeats;
}

function differenceOf(left: string, right: string): string | undefined {
  for (const name of new Set([...readdirSync(left), ...readdirSync(right)])) {
    const [ours, theirs] = [readFileSync(join(left, name)), readFileSync(join(right, name))];
    if (ours.equals(theirs)) continue;
    const ourLines = ours.toString('utf8').split('\n');
    const theirLines = theirs.toString('utf8').split('\n');
    const at = Math.max(
      0,
      ourLines.findIndex((line, index) => line !== theirLines[index]),
    );
    return `${name}:${at + 1}\n  exported ${ourLines[at]}\n  replayed ${theirLines[at]}`;
  }
  return undefined;
}

function linesOf(folder: string): [string, number][] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ndjson'))
    .sort()
    .map((name) => [`lines of ${name}`, readFileSync(join(folder, name)).filter((byte) => byte === 0x0a).length]);
}
