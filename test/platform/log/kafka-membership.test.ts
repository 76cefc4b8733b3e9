import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { joinGroup } from '../../../platform/log/kafka-membership.ts';
import { createKafkaTopics } from '../../../platform/log/kafka-topics.ts';
import type { Membership } from '../../../platform/log/membership.ts';
import { isLogError } from '../../../platform/log/port.ts';
import { describeOnStack, type KafkaComponent, startKafka } from '../../integration/support/components.ts';
import { connectionTo, onOneBroker } from './kafka-harness.ts';

const SESSION_MS = 6_000;
const TOPICS = ['left', 'right'];
const PARTITIONS = 8;
const WAIT = { timeout: 60_000, interval: 20 };

describeOnStack('membership of a group', () => {
  let kafka: KafkaComponent;
  const cleanups: (() => Promise<void>)[] = [];
  let groups = 0;

  beforeAll(async () => {
    kafka = await startKafka();
    const topics = TOPICS.map((name) => ({ name, partitions: PARTITIONS, time: 'append' as const }));
    await createKafkaTopics(connectionTo(kafka.bootstrap), topics.map(onOneBroker));
    await createKafkaTopics(connectionTo(kafka.bootstrap), [
      onOneBroker({ name: 'narrow', partitions: 3, time: 'append' }),
    ]);
  }, 120_000);
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  afterAll(() => kafka.stop());

  function newGroup(): string {
    groups += 1;
    return `group-${groups}`;
  }

  async function join(groupId: string, topics: readonly string[] = TOPICS) {
    const told: number[][] = [];
    const failures: Error[] = [];
    const membership: Membership = await joinGroup({
      ...{ connection: connectionTo(kafka.bootstrap), groupId, topics, sessionTimeoutMs: SESSION_MS },
      onAssigned: (partitions) => told.push([...partitions]),
      onFailed: (fault) => failures.push(fault),
    });
    cleanups.push(() => membership.leave());
    return { membership, told, failures, owned: () => told.at(-1) ?? [] };
  }

  /** A member in a process of its own, that can be killed and stopped. */
  async function joinElsewhere(groupId: string) {
    const from = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    const source = `
      import { joinGroup } from ${from('../../../platform/log/kafka-membership.ts')};
      const quiet = () => {};
      await joinGroup({
        connection: { brokers: [${JSON.stringify(kafka.bootstrap)}], clientId: 'child',
          logger: { debug: quiet, info: quiet, warn: quiet, error: quiet } },
        groupId: ${JSON.stringify(groupId)}, topics: ${JSON.stringify(TOPICS)}, sessionTimeoutMs: ${SESSION_MS},
        onAssigned: (partitions) => console.log(JSON.stringify([...partitions])),
        onFailed: (fault) => { throw fault; },
      });`;
    const tsx = import.meta.resolve('tsx');
    const child: ChildProcess = spawn(process.execPath, ['--import', tsx, '--input-type=module', '--eval', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    cleanups.push(async () => {
      child.kill('SIGKILL');
      await exited;
    });
    const told: number[][] = [];
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => told.push(JSON.parse(line) as number[]));
    }
    await vi.waitFor(() => expect(told.at(-1)?.length).toBeGreaterThan(0), WAIT);
    return { child, told, owned: () => told.at(-1) ?? [] };
  }

  type Member = { owned(): readonly number[] };

  async function shared(members: readonly Member[]): Promise<void> {
    await vi.waitFor(() => {
      const all = members.flatMap((member) => [...member.owned()]);
      expect(all.sort((left, right) => left - right)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      const sizes = members.map((member) => member.owned().length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }, WAIT);
  }

  it('each partition is owned by one member, and few move when members come and go', { timeout: 120_000 }, async () => {
    const groupId = newGroup();
    const first = await join(groupId);
    expect(first.owned()).toHaveLength(PARTITIONS);
    const second = await join(groupId);
    await shared([first, second]);
    const before = [first.owned(), second.owned()];
    const third = await join(groupId);
    await shared([first, second, third]);
    for (const [index, member] of [first, second].entries()) {
      expect(member.owned().every((partition) => before[index]?.includes(partition))).toBe(true);
    }
    const kept = [first.owned(), third.owned()];
    await second.membership.leave();
    await shared([first, third]);
    for (const [index, member] of [first, third].entries()) {
      expect(kept[index]?.every((partition) => member.owned().includes(partition))).toBe(true);
    }
    expect([...first.failures, ...second.failures, ...third.failures]).toEqual([]);
    const calls = second.told.length;
    await first.membership.leave();
    expect(second.told).toHaveLength(calls);
  });

  it('the partitions of a killed member go to the others', { timeout: 120_000 }, async () => {
    const groupId = newGroup();
    const stays = await join(groupId);
    const dies = await joinElsewhere(groupId);
    await shared([stays, dies]);
    dies.child.kill('SIGKILL');
    await shared([stays]);
  });

  it('a member that was stopped for longer than its session learns that it lost its partitions', {
    timeout: 120_000,
  }, async () => {
    const groupId = newGroup();
    const stays = await join(groupId);
    const stopped = await joinElsewhere(groupId);
    await shared([stays, stopped]);
    const calls = stopped.told.length;
    stopped.child.kill('SIGSTOP');
    await shared([stays]);
    stopped.child.kill('SIGCONT');
    await vi.waitFor(() => expect(stopped.told.length).toBeGreaterThanOrEqual(calls + 2), WAIT);
    expect(stopped.told[calls]).toEqual([]);
    await shared([stays, stopped]);
  });

  it('what members told of their offsets is what tools read of the group, and who left tells nothing more', async () => {
    const groupId = newGroup();
    const member = await join(groupId);
    await member.membership.tell('left', [
      { partition: 0, offset: 7 },
      { partition: 5, offset: 1_000_000 },
    ]);
    const told = async (): Promise<Record<number, string>> => {
      const admin = new Kafka({ brokers: [kafka.bootstrap], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      try {
        const [topic] = await admin.fetchOffsets({ groupId, topics: ['left'] });
        const known = (topic?.partitions ?? []).filter(({ offset }) => offset !== '-1');
        return Object.fromEntries(known.map(({ partition, offset }) => [partition, offset]));
      } finally {
        await admin.disconnect();
      }
    };
    expect(await told()).toEqual({ 0: '7', 5: '1000000' });
    await member.membership.leave();
    await member.membership.tell('left', [{ partition: 0, offset: 3 }]);
    expect(await told()).toEqual({ 0: '7', 5: '1000000' });
  });

  it('a broker that restarts ends no membership', { timeout: 120_000 }, async () => {
    const groupId = newGroup();
    const members = [await join(groupId), await join(groupId)];
    await shared(members);
    await kafka.kill();
    await kafka.restart();
    await members[0]?.membership.tell('left', [{ partition: 0, offset: 1 }]);
    const third = await join(groupId);
    await shared([...members, third]);
    expect(members.flatMap((member) => member.failures)).toEqual([]);
  });

  it('topics of different numbers of partitions, and one that is missing, are refused by name', async () => {
    for (const topic of ['narrow', 'missing']) {
      await expect(join(newGroup(), ['left', topic])).rejects.toSatisfy((error) =>
        isLogError(error, 'LogTopicInvalid'),
      );
    }
  });
});
