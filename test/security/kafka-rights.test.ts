import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KafkaConnection } from '../../platform/kafka/connection.ts';
import { joinGroup } from '../../platform/log/kafka-membership.ts';
import { createKafkaTopics } from '../../platform/log/kafka-topics.ts';
import { openClusterLog } from '../../services/shared/runtime/connect.ts';
import {
  KAFKA_USES,
  type KafkaAcl,
  type KafkaClientName,
  type KafkaUse,
  kafkaAcls,
} from '../../services/shared/runtime/kafka-acls.ts';
import { topicSpecs } from '../../services/shared/runtime/topic-specs.ts';
import { TOPICS, type Topic } from '../../services/shared/topics.ts';
import { describeOnStack } from '../integration/support/components.ts';
import { type Authority, makeAuthority } from './support/certificates.ts';
import { joinAndLeave, readOne, useKafka } from './support/kafka-use.ts';
import { ADMIN, loginTo, type SecureKafka, startSecureKafka } from './support/secure-kafka.ts';

const LONG_MS = 600_000;
const SPECS = topicSpecs({ partitions: 1, logTime: 'append', replicationFactor: 1 });
const NAMES = Object.keys(KAFKA_USES) as KafkaClientName[];
/** Loses what it has while it works. */
const LOSER = 'loser';
const REFUSED = /_AUTHORIZATION_FAILED/;
const RECORD = { key: 'k', value: 'v' };

/** The name of a client that lacks one right; one each, so that no right is taken from a client that is looked at. */
const without = (name: KafkaClientName, index: number): string => `${name}-without-${index}`;
const aclsOf = (name: KafkaClientName): readonly KafkaAcl[] => kafkaAcls(KAFKA_USES[name]);
const lacking = NAMES.flatMap((name) => aclsOf(name).map((_, index) => ({ name, index, user: without(name, index) })));

let folder = '';
let authority: Authority;
let kafka: SecureKafka;

const login = (user: string): KafkaConnection => loginTo(kafka, authority.pem, user);

/** The rights, by their names, without which `use` goes on working. */
async function notNeeded(
  name: KafkaClientName,
  which: (acl: KafkaAcl) => boolean,
  use: (connection: KafkaConnection, acl: KafkaAcl) => Promise<void>,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [index, acl] of aclsOf(name).entries()) {
    if (!which(acl)) continue;
    const fault = await use(login(without(name, index)), acl).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    const text = `${acl.operation} ${acl.resource} ${acl.name}`;
    if (fault === undefined) found.push(text);
    else expect([text, fault instanceof Error && fault.message]).toEqual([text, expect.stringMatching(REFUSED)]);
  }
  return found;
}

const specOf = (name: string) => SPECS.filter((spec) => spec.name === name);

describeOnStack('Kafka with the ACLs that are listed, and everything else forbidden', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tollgate-rights-'));
    authority = makeAuthority(folder, 'authority');
    const users = [...NAMES, LOSER, ...lacking.map(({ user }) => user)];
    const identity = authority.issue('broker');
    kafka = await startSecureKafka({ folder, identity, authority, users, scramUsers: [] });
    await kafka.allow([
      ...NAMES.flatMap((user) => aclsOf(user).map((acl) => ({ user, ...acl }))),
      ...aclsOf('tollgate-rater').map((acl) => ({ user: LOSER, ...acl })),
      ...lacking.flatMap(({ name, index, user }) =>
        aclsOf(name)
          .filter((_, at) => at !== index)
          .map((acl) => ({ user, ...acl })),
      ),
    ]);
  }, LONG_MS);

  afterAll(async () => {
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  }, LONG_MS);

  test('each right to create a topic is needed, and all together suffice', { timeout: LONG_MS }, async () => {
    const create = (connection: KafkaConnection, { name }: KafkaAcl) => createKafkaTopics(connection, specOf(name));
    const creates = ({ operation }: KafkaAcl) => operation === 'Create' || operation === 'Describe';
    expect(await notNeeded('tollgate-topics', creates, create)).toEqual([]);
    await createKafkaTopics(login('tollgate-topics'), SPECS);
    expect(await notNeeded('tollgate-topics', ({ operation }) => operation === 'DescribeConfigs', create)).toEqual([]);
    await createKafkaTopics(login('tollgate-topics'), SPECS);
  });

  describe.each(NAMES.filter((name) => name !== 'tollgate-topics'))('%s', (name) => {
    const use: KafkaUse = KAFKA_USES[name];

    test('does all that it does', { timeout: LONG_MS }, () => useKafka(login(name), use));

    test('could not do without any one of its rights', { timeout: LONG_MS }, async () => {
      const needed = await notNeeded(
        name,
        () => true,
        (connection) => useKafka(connection, use),
      );
      expect(needed).toEqual([]);
    });

    test('is in no group of others', { timeout: LONG_MS }, async () => {
      for (const { group } of Object.values<KafkaUse>(KAFKA_USES)) {
        if (group === undefined || group === use.group) continue;
        const asIf = { ...use, reads: [...use.reads, ...use.writes], group };
        await expect(joinAndLeave(login(name), asIf)).rejects.toMatchObject({ code: 'LogNotAllowed' });
      }
    });
  });

  test.each(NAMES.filter((name) => KAFKA_USES[name].looksAt.length > 0 && name !== 'tollgate-topics'))(
    '%s writes to no topic and reads no topic but its own',
    { timeout: LONG_MS },
    async (name) => {
      const { reads, writes }: KafkaUse = KAFKA_USES[name];
      const { log } = await openClusterLog(login(name));
      try {
        for (const topic of Object.values(TOPICS)) {
          const refused = { name: 'LogNotAllowed', message: expect.stringContaining(`${topic}/0`) };
          const written = log.append(topic, 0, [RECORD]);
          if (writes.includes(topic)) await written;
          else await expect(written).rejects.toMatchObject(refused);
          const read = readOne(log, topic);
          if (reads.includes(topic)) await read;
          else await expect(read).rejects.toMatchObject(refused);
        }
      } finally {
        await log.close();
      }
    },
  );

  test('an agent reports, and neither reads what is commanded nor writes what is billed', {
    timeout: LONG_MS,
  }, async () => {
    const agent = KAFKA_USES['tollgate-agent'];
    const others: readonly Topic[] = Object.values(TOPICS);
    for (const topic of others) {
      const refused = { type: 'TOPIC_AUTHORIZATION_FAILED', retriable: false };
      await expect(useKafka(login('tollgate-agent'), { ...agent, writes: [topic] })).rejects.toMatchObject(refused);
      await expect(useKafka(login('tollgate-agent'), { ...agent, writes: [], reads: [topic] })).rejects.toMatchObject(
        refused,
      );
    }
  });

  test(
    'who loses its rights while it works is told so and ends; given again, they hold at once',
    async () => {
      const connection = login(LOSER);
      const { log } = await openClusterLog(connection);
      const failed = new EventEmitter();
      const told = once(failed, 'failed');
      const owned: ReadonlySet<number>[] = [];
      const membership = await joinGroup({
        ...{ connection, groupId: 'tollgate-rater', topics: [TOPICS.events], sessionTimeoutMs: 6_000 },
        onAssigned: (partitions) => void owned.push(partitions),
        onFailed: (fault) => void failed.emit('failed', fault),
      });
      try {
        await log.append(TOPICS.events, 0, [RECORD]);
        await kafka.forbid(LOSER);
        expect(await told).toMatchObject([{ name: 'LogNotAllowed' }]);
        expect(owned.at(-1)).toEqual(new Set());
        await expect(log.append(TOPICS.events, 0, [RECORD])).rejects.toMatchObject({ name: 'LogNotAllowed' });
        await expect(readOne(log, TOPICS.events)).rejects.toMatchObject({ name: 'LogNotAllowed' });
        await kafka.allow(aclsOf('tollgate-rater').map((acl) => ({ user: LOSER, ...acl })));
        await log.append(TOPICS.events, 0, [RECORD]);
        await readOne(log, TOPICS.events);
      } finally {
        await membership.leave();
        await log.close();
      }
    },
    LONG_MS,
  );

  test(
    'the administrator may do what nobody else may',
    async () => {
      const { log } = await openClusterLog(login(ADMIN));
      await log.trimBefore(TOPICS.alerts, 0, 0);
      await log.close();
      const reader = await openClusterLog(login('tollgate-reader'));
      const trimmed = reader.log.trimBefore(TOPICS.events, 0, await reader.log.endOffset(TOPICS.events, 0));
      await expect(trimmed).rejects.toMatchObject({ name: 'LogNotAllowed' });
      await reader.log.close();
    },
    LONG_MS,
  );
});
