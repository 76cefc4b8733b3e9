import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ClusterOptions,
  clusterDown,
  clusterStatus,
  clusterUp,
  readClusterFile,
} from '../../cli/cluster/cluster.ts';
import { findDoor } from '../../cli/door/door.ts';
import { partitionOf } from '../../services/shared/partition.ts';
import { clusterWarehouse } from '../../services/shared/runtime/connect.ts';
import { CLUSTER_VARIABLES, readVariables } from '../../services/shared/runtime/variables.ts';
import { granted, opened, priced, used } from '../cli/support/events.ts';
import { type Ran, run } from '../cli/support/run.ts';
import { filesOf, firstDifference, removeFolder, temporaryFolder } from '../e2e/support/embedded.ts';
import { mergedHistories } from '../e2e/support/histories.ts';
import { describeOnStack } from './support/components.ts';

const UP_MS = 900_000;
const LONG_MS = 300_000;
const PARTITIONS = [0, 1];
/** Of histories that begin after the events of `support/events.ts`, and have accounts in both partitions. */
const SEEDS = [1, 8, 19, 23];
const [LEFT, RIGHT] = PARTITIONS.map(accountIn);

let folder = '';
let dir = '';
let data: readonly string[] = [];
/** What the environment says of the cluster, for `--cluster`. */
let env: Readonly<Record<string, string>> = {};

/** An account of a partition. */
function accountIn(partition: number): string {
  for (let number = 0; ; number += 1) {
    if (partitionOf(`acme-${number}`, PARTITIONS.length) === partition) return `acme-${number}`;
  }
}

/** @param given what is left out stays as it is */
async function up(given: Partial<ClusterOptions>): Promise<void> {
  const { raters, enforcers, partitions, logTime } = given;
  const same = { port: undefined, ingests: undefined };
  await clusterUp({ ...same, dir, raters, enforcers, partitions, logTime, tell: () => undefined });
}

/** Sends events to the cluster's door, and resolves once they are rated. */
async function post(...lines: readonly string[]): Promise<void> {
  const { url, key } = findDoor({ data: dir }, undefined);
  const answer = await fetch(`${url}/v1/events?wait=applied&timeout_ms=60000`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  });
  expect({ status: answer.status, text: await answer.text() }).toMatchObject({ status: 202 });
}

async function done(args: readonly string[]): Promise<string> {
  const ran = await run(args, args.includes('--cluster') ? { env } : {});
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  return ran.stdout;
}

async function redriven(): Promise<Record<string, unknown>> {
  const ran = await run(['redrive', '--json', ...accountsOf(), ...data]);
  expect(ran).toMatchObject({ code: 0 });
  return JSON.parse(ran.stdout);
}

/** Of the random histories much is rejected, too. */
function accountsOf(): readonly string[] {
  return [LEFT, RIGHT].flatMap((account) => [4, 5].flatMap((minute) => ['--id', `ops/${account}:${minute}`]));
}

function linesOf({ stdout }: Pick<Ran, 'stdout'>): readonly string[] {
  return stdout.split('\n').filter((line) => line !== '');
}

describeOnStack('the commands that look into a cluster of two partitions', () => {
  beforeAll(async () => {
    folder = temporaryFolder();
    dir = join(folder, 'cluster');
    data = ['--data', dir];
    await up({ partitions: PARTITIONS.length, logTime: 'event' });
    env = readClusterFile(dir)?.environment ?? {};
    await post(
      ...[LEFT, RIGHT].flatMap((account = '') => [opened(0, account), granted(0, account, `g-${account}`, '100')]),
    );
  }, UP_MS);

  afterAll(async () => {
    await clusterDown({ dir, tell: () => undefined });
    removeFolder(folder);
  }, LONG_MS);

  test(
    'E4: redrive sends in again what was rejected in either partition, once, by the door of the cluster',
    async () => {
      const samples = [LEFT, RIGHT].flatMap((account = '') =>
        [4, 5].map((minute) => used(minute, account, account, 'Z9')),
      );
      await post(...samples);
      expect(await redriven()).toMatchObject({ found: 4, sent: 4, applied: 0, rejected: { no_price: 4 } });
      await post(priced(6, 'Z9'));
      expect(await redriven()).toMatchObject({ found: 4, sent: 4, applied: 4, rejected: {} });
      expect(await redriven()).toMatchObject({ found: 4, sent: 0, skipped: { applied_since: 4 } });
    },
    LONG_MS,
  );

  describe('on random histories', () => {
    beforeAll(async () => {
      const events = join(folder, 'events.ndjson');
      writeFileSync(events, `${mergedHistories(SEEDS).join('\n')}\n`);
      expect(await run(['publish', events, ...data])).toMatchObject({ code: 0 });
    }, LONG_MS);

    test(
      'L10: what is exported of each partition is what a replay of its dump writes, byte for byte',
      async () => {
        for (const partition of PARTITIONS) {
          const place = [...data, '--partition', `${partition}`];
          const exported = join(folder, `exported-${partition}`);
          const end = (await done(['export', '--out', exported, ...place])).trim();
          expect(Number(end)).toBeGreaterThan(50);
          const dump = join(folder, `log-${partition}.ndjson`);
          const text = await done(['log', 'dump', '--to', end, ...place]);
          writeFileSync(dump, text);
          expect(linesOf({ stdout: text })).toHaveLength(Number(end));
          expect(await done(['log', 'dump', '--cluster', '--partition', `${partition}`, '--to', end])).toBe(text);
          const replayed = join(folder, `replayed-${partition}`);
          await done(['replay', dump, '--out', replayed]);
          const files = filesOf(exported);
          expect(firstDifference(files, filesOf(replayed))).toBeUndefined();
          for (const name of ['rated', 'ledger', 'balances', 'commands', 'rejected', 'invoices']) {
            expect({ name, empty: files.get(`${name}.ndjson`) === '' }).toEqual({ name, empty: false });
          }
        }
      },
      LONG_MS,
    );

    test(
      'L10: verify proves the bill of each partition',
      async () => {
        for (const partition of PARTITIONS) {
          const json = await done(['verify', '--json', ...data, '--partition', `${partition}`]);
          expect(JSON.parse(json)).toEqual({ end: expect.any(Number), verified: true, differences: {} });
        }
      },
      LONG_MS,
    );

    test(
      'C1, F2: balance and invoice find the partition of an account, with the door and without',
      async () => {
        for (const account of [LEFT, RIGHT]) {
          const asked = await done(['balance', account ?? '', '--json', ...data]);
          expect(JSON.parse(asked)).toMatchObject({
            account_id: account,
            granted: '100.000000000',
            charged: '0.666666666',
          });
          expect(await done(['balance', account ?? '', '--json', '--cluster'])).toBe(asked);
          const invoice = JSON.parse(await done(['invoice', account ?? '', '--json', '--cluster']));
          expect(invoice).toMatchObject({ account_id: account, month: '2026-05', charges: '0.666666666' });
        }
        const unknown = await run(['balance', 'nobody-at-all', '--cluster'], { env });
        expect(unknown).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('was not opened') });
      },
      LONG_MS,
    );

    test(
      'tail shows all partitions unless one is named, as the texts that the services write',
      async () => {
        const tail = (...args: readonly string[]) => done(['tail', '--no-follow', ...args, ...data]);
        const all = await tail('metering.rejected', '--from', '0');
        const each = await Promise.all(
          PARTITIONS.map((partition) => tail('metering.rejected', '--from', '0', '--partition', `${partition}`)),
        );
        expect(all).toBe(each.join(''));
        for (const [partition, stdout] of each.entries()) {
          const lines = linesOf({ stdout });
          expect(lines.length).toBeGreaterThan(3);
          for (const line of lines) {
            expect(JSON.parse(line)).toMatchObject({ reason: expect.any(String), event: { text: expect.any(String) } });
          }
          const later = await tail('metering.rejected', '--from', '2', '--partition', `${partition}`);
          expect(linesOf({ stdout: later })).toEqual(lines.slice(2));
        }
        expect(await tail('--from', '0')).toContain('"command":"alert"');
        expect(await tail('metering.events', '--from', '0', '--partition', '1')).toBe(
          await done(['log', 'dump', '--partition', '1', ...data]),
        );
        expect(await tail()).toBe('');
      },
      LONG_MS,
    );

    test(
      'which partition must be said where it matters, and must be one that there is',
      async () => {
        const bad = async (...args: readonly string[]) => {
          const { code, stdout, stderr } = await run([...args, ...data]);
          expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
          return stderr;
        };
        const unsaid = 'tollgate: the log has 2 partitions: name one with --partition, 0 to 1\n';
        expect(await bad('log', 'dump')).toBe(unsaid);
        expect(await bad('export', '--out', join(folder, 'none'))).toBe(unsaid);
        expect(await bad('verify')).toBe(unsaid);
        expect(await bad('tail', '--from', '7')).toBe(unsaid);
        expect(await bad('tail', '--partition', '2')).toContain('--partition 2: the log has partitions 0 to 1');
        expect(await bad('log', 'dump', '--partition', '1', '--to', '99999')).toMatch(/--to 99999: .* ends at \d+/);
      },
      LONG_MS,
    );

    test(
      'L10: verify names what was stored otherwise in one partition, and finds nothing in the other',
      async () => {
        const warehouse = clusterWarehouse(readVariables(CLUSTER_VARIABLES, env));
        const last = '(SELECT max(line_id) FROM rated_lines WHERE partition = 1)';
        await warehouse.command({
          query: `ALTER TABLE rated_lines UPDATE amount = amount + 0.000000001 WHERE partition = 1 AND line_id = ${last}`,
          clickhouse_settings: { mutations_sync: '1' },
        });
        await warehouse.close();
        expect(await run(['verify', '--partition', '0', ...data])).toMatchObject({ code: 0, stderr: '' });
        const found = await run(['verify', '--partition', '1', ...data]);
        expect(found).toMatchObject({ code: 1, stdout: '' });
        expect(found.stderr).toMatch(/^tollgate: rated\.ndjson is not what the log says, from line \d+ on:/);
        expect(found.stderr).toContain('tollgate log dump --partition 1 | tollgate replay');
      },
      LONG_MS,
    );
  });

  test(
    'another number of services is had by `up`, behind the same door, and stays; the topics stay what they were',
    async () => {
      const running = () => clusterStatus(dir).filter((process) => process.running);
      const services = () => running().flatMap(({ service }) => (/-\d$/.test(service) ? [service] : []));
      const door = findDoor({ data: dir }, undefined).url;
      const [server] = running();
      await up({ raters: 2 });
      expect(services()).toEqual(['rater-1', 'rater-2', 'enforcer-1', 'ingest-1']);
      expect(findDoor({ data: dir }, undefined).url).toBe(door);
      await post(opened(7, 'scaled'), granted(7, 'scaled', 'g-scaled', '5'));
      expect(await done(['balance', 'scaled', ...data])).toContain('5.000000000 USD');
      await up({ enforcers: 2 });
      expect(services()).toEqual(['rater-1', 'rater-2', 'enforcer-1', 'enforcer-2', 'ingest-1']);
      const before = running();
      await up({});
      expect(running()).toEqual(before);
      expect(running()[0]).toEqual(server);
      await expect(up({ partitions: 3 })).rejects.toThrow('has 2 partitions, not 3');
    },
    LONG_MS,
  );
});
