import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { MemoryLogDisk, openMemoryLog } from '../../platform/log/memory-log.ts';
import { TOPICS, type Topic } from '../../services/shared/topics.ts';
import { JSON_WIRE } from '../../services/shared/wire/json-wire.ts';
import { judgeTopics } from './judge-topics.ts';
import { placesIn } from './places.ts';

type Records = Readonly<Partial<Record<Topic, readonly object[]>>>;

interface History {
  readonly topics: Records;
  readonly commands: readonly object[];
  readonly rejected: readonly object[];
  readonly refused: Readonly<Record<string, string>>;
}

const account = (sequence: number, resources: number, balance = '1'): object => {
  return { kind: 'account', account_id: 'acme', sequence, resources, balance };
};
const resource = (sequence: number): object => ({ kind: 'resource', account_id: 'acme', sequence, burn_rate: '0' });
const watermark = { kind: 'watermark', partition: 0, clock: 1, next_offset: 1 };
const command = (id: string, sequence: number): object => {
  return { command_id: id, account_id: 'acme', resource: { kind: 'account', id: 'acme' }, sequence };
};
const rejection = (offset: number, detail = 'none'): object => {
  const event = { encoding: 'json', text: '{"id":"e1"}' };
  return { reason: 'no_price', detail, origin: { partition: 0, offset }, event };
};
const refusal = {
  reason: 'malformed',
  detail: '',
  origin: { sent_by: 'x' },
  event: { encoding: 'json', text: '{"id":"e9"}' },
};

const GOOD: History = {
  topics: {
    [TOPICS.updates]: [account(1, 1), resource(1), watermark, account(2, 0), account(1, 1), resource(1), account(2, 0)],
    [TOPICS.alerts]: [command('a', 1), command('b', 3), command('a', 1)],
    [TOPICS.compute]: [command('c', 2)],
    [TOPICS.rejected]: [rejection(4), refusal, rejection(4)],
  },
  commands: [command('a', 1), command('c', 2), command('b', 3)],
  rejected: [{ line: 5, reason: 'no_price', detail: 'none', event: { id: 'e1' } }],
  refused: { e9: 'malformed' },
};

/** GOOD with one topic otherwise. */
function withTopic(topic: Topic, records: readonly object[]): History {
  return { ...GOOD, topics: { ...GOOD.topics, [topic]: records } };
}

const PLANTED: readonly (readonly [name: string, history: History, fault: string])[] = [
  ['an update is missing', withTopic(TOPICS.updates, [account(1, 0), account(3, 0)]), 'acme goes from 1 to 3'],
  [
    'an update says something else the second time',
    withTopic(TOPICS.updates, [account(1, 0), account(1, 0, '2')]),
    'differs',
  ],
  ['an update is torn', withTopic(TOPICS.updates, [account(1, 1), watermark, account(1, 1), resource(1)]), 'is torn'],
  ['a resource stands alone', withTopic(TOPICS.updates, [resource(1)]), 'without its update'],
  [
    'a command says something else the second time',
    withTopic(TOPICS.alerts, [command('a', 1), command('b', 3), { ...command('a', 1), balance: '9' }]),
    'comes again and differs',
  ],
  ['two commands have one sequence', withTopic(TOPICS.compute, [command('c', 3)]), 'is of two commands'],
  ['a command is missing', withTopic(TOPICS.compute, []), '1 commands of acme are missing'],
  [
    'commands of a resource come out of order',
    withTopic(TOPICS.alerts, [command('b', 3), command('a', 1)]),
    'comes after 3',
  ],
  [
    'a command is in no export',
    { ...GOOD, commands: GOOD.commands.slice(0, 2) },
    '3 commands in the topics, 2 in the export',
  ],
  ['a rejection is missing', withTopic(TOPICS.rejected, [refusal]), 'not there, or otherwise'],
  [
    'a rejection is told otherwise',
    withTopic(TOPICS.rejected, [rejection(4, 'odd'), refusal]),
    'not there, or otherwise',
  ],
  [
    'a rejection is one too many',
    withTopic(TOPICS.rejected, [rejection(4), rejection(5), refusal]),
    '2 rejections, 1 in',
  ],
  ['a refusal of the door is missing', withTopic(TOPICS.rejected, [rejection(4)]), 'e9 was refused as malformed'],
];

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function faultsOf({ topics, commands, rejected, refused }: History): Promise<readonly string[]> {
  const out = mkdtempSync(join(tmpdir(), 'tollgate-judge-'));
  folders.push(out);
  const { exported } = placesIn(out, 0);
  mkdirSync(exported);
  const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  writeFileSync(join(exported, 'commands.ndjson'), lines(commands));
  writeFileSync(join(exported, 'rejected.ndjson'), lines(rejected));
  const specs = Object.values(TOPICS).map((name) => ({ name, partitions: 1, time: 'append' as const }));
  const log = openMemoryLog({ topics: specs, now: () => 0, disk: new MemoryLogDisk() });
  for (const topic of Object.values(TOPICS)) {
    const records = (topics[topic] ?? []).map((record) => ({ key: '', value: JSON.stringify(record) }));
    await log.append(topic, 0, records);
  }
  const faults: string[] = [];
  await judgeTopics({
    ...{ access: { log, wire: JSON_WIRE, partitions: 1 }, out, refused: new Map(Object.entries(refused)) },
    ...{ fault: (text) => faults.push(text), count: () => undefined, tell: () => undefined },
  });
  await log.close();
  return faults;
}

describe('the judge of the topics', () => {
  test('has nothing against topics that tell each thing once, or again in the same words', async () => {
    expect(await faultsOf(GOOD)).toEqual([]);
  });

  test.each(PLANTED)('finds that %s', async (_name, history, fault) => {
    expect((await faultsOf(history)).join('\n')).toContain(fault);
  });
});
