import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import type { Access } from '../../../cli/access/port.ts';
import { recordsOf } from '../../../cli/access/records.ts';
import { type Embedded, startEmbedded } from '../../../cli/embedded/embedded.ts';
import { exportTo } from '../../../cli/export/export.ts';
import { replayFile } from '../../../cli/replay.ts';
import type { LogTime } from '../../../platform/log/port.ts';
import { eventLine } from '../../../services/shared/contracts/event-record.ts';
import { TOPICS } from '../../../services/shared/topics.ts';
import { JSON_WIRE } from '../../../services/shared/wire/json-wire.ts';

/** A pipeline in this process, on a folder of its own. */
export interface Instance {
  readonly folder: string;
  readonly embedded: Embedded;
  /** Sends lines of NDJSON in one request; resolves with the door's answer. */
  post(lines: readonly string[], query?: string): Promise<PostAnswer>;
  /** What the door answers with 200. */
  get(path: string): Promise<unknown>;
  access(): Access;
  stop(): Promise<void>;
}

export interface PostAnswer {
  readonly accepted: number;
  readonly rejected: number;
  readonly results: readonly {
    readonly id?: string;
    readonly source?: string;
    readonly status: 'accepted' | 'rejected';
    readonly position?: { readonly partition: number; readonly offset: number };
    readonly verdict?: { readonly status: string };
  }[];
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'tollgate-e2e-'));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

export async function startInstance(folder: string, logTime: LogTime, now: () => number): Promise<Instance> {
  const faults: unknown[] = [];
  const embedded = await startEmbedded({
    dataDir: join(folder, 'data'),
    port: 0,
    logTime,
    logger: pino({ level: 'silent' }),
    now,
    onFailed: (fault) => faults.push(fault),
  });
  const failOnFaults = (): void => {
    if (faults.length > 0) throw faults[0];
  };
  return {
    folder,
    embedded,
    post: async (lines, query = '') => JSON.parse(await ask(embedded, `/v1/events${query}`, 202, lines.join('\n'))),
    get: async (path) => JSON.parse(await ask(embedded, path, 200)),
    access: () => ({
      log: embedded.stores.log,
      wire: JSON_WIRE,
      state: embedded.stores.state,
      partitions: 1,
      warehouse: embedded.stores.warehouse,
      processed: async (_partition, offset) => {
        while (!embedded.pipeline.isDone(offset)) {
          failOnFaults();
          await delay(20);
        }
      },
      close: async () => undefined,
    }),
    stop: async () => {
      await embedded.stop();
      failOnFaults();
    },
  };
}

const TRIES_MAX = 60;

/** A busy machine makes the door say 503 or 429: nothing was done then, and the same is sent again, as clients do. */
async function ask(embedded: Embedded, path: string, status: number, body?: string): Promise<string> {
  const headers = { authorization: `Bearer ${embedded.operatorKey}`, 'content-type': 'application/x-ndjson' };
  const request = body === undefined ? { headers } : { method: 'POST', headers, body };
  for (let tries = 1; ; tries += 1) {
    const answer = await fetch(`${embedded.url}${path}`, request);
    const text = await answer.text();
    if (answer.status === status) return text;
    const isBusy = answer.status === 503 || answer.status === 429;
    if (!isBusy || tries >= TRIES_MAX) throw new Error(`${path}: ${answer.status}: ${text.slice(0, 500)}`);
    await delay(Number(answer.headers.get('retry-after') ?? 1) * 1000);
  }
}

/** Exports an instance, dumps its log up to that end, replays the dump; and gives each file of both. */
export async function exportAndReplay(
  access: Access,
  folder: string,
  to?: number,
): Promise<{
  readonly exported: ReadonlyMap<string, string>;
  readonly replayed: ReadonlyMap<string, string>;
  readonly end: number;
}> {
  const end = await exportTo(access, join(folder, 'exported'), 0, to);
  const dump = join(folder, 'log.ndjson');
  let text = '';
  for await (const records of recordsOf(access.log, TOPICS.events, 0, { from: 0, to: end.offset })) {
    for (const { value, time } of records) text += `${eventLine(value.toString('utf8'), time)}\n`;
  }
  writeFileSync(dump, text);
  await replayFile({ eventsPath: dump, outDir: join(folder, 'replayed') });
  return { exported: filesOf(join(folder, 'exported')), replayed: filesOf(join(folder, 'replayed')), end: end.offset };
}

export function filesOf(folder: string): ReadonlyMap<string, string> {
  return new Map(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

/** The first line in which two sets of files differ, in words; undefined if they are the same, byte for byte. */
export function firstDifference(
  left: ReadonlyMap<string, string>,
  right: ReadonlyMap<string, string>,
): string | undefined {
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const ours = left.get(name);
    const theirs = right.get(name);
    if (ours === theirs) continue;
    if (ours === undefined || theirs === undefined) return `${name} is in one only`;
    const ourLines = ours.split('\n');
    const theirLines = theirs.split('\n');
    const at = ourLines.findIndex((line, index) => line !== theirLines[index]);
    return `${name}:${at + 1}\n  exported ${ourLines[at]}\n  replayed ${theirLines[at]}`;
  }
  return undefined;
}
