import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KafkaConnection } from '../../platform/kafka/connection.ts';
import { openKafkaLog } from '../../platform/log/kafka-log.ts';
import { joinGroup } from '../../platform/log/kafka-membership.ts';
import { createKafkaTopics } from '../../platform/log/kafka-topics.ts';
import type { LogErrorCode } from '../../platform/log/port.ts';
import { KAFKA_USES, kafkaAcls } from '../../services/shared/runtime/kafka-acls.ts';
import { topicSpecs } from '../../services/shared/runtime/topic-specs.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { describeOnStack } from '../integration/support/components.ts';
import { type Authority, type Identity, makeAuthority } from './support/certificates.ts';
import { useKafka } from './support/kafka-use.ts';
import { Secrets } from './support/secrets.ts';
import { ADMIN, loginTo, passwordOf, SESSION_MS, type SecureKafka, startSecureKafka } from './support/secure-kafka.ts';
import { Stubs } from './support/stubs.ts';

const LONG_MS = 600_000;
const RATER = 'tollgate-rater';
const USE = KAFKA_USES[RATER];
const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
/** A server that refuses a client's certificate says so after the client has begun to write, and may cut it off before it reads. */
const CUT_OFF = /^Log(NotTrusted|Unavailable)$/;
const WRONG = 'wrong-and-secret';
const TOPIC = { name: TOPICS.events, partitions: 1, time: 'append' } as const;
const RECORD = { key: 'k', value: 'v' };
/** Short, since the outcome does not depend on it: only what may heal is tried for so long. */
const PATIENCE_MS = 400;

let folder = '';
let authority: Authority;
let stranger: Authority;
let client: Identity;
let kafka: SecureKafka;
const stubs = new Stubs();

const login = (user: string, mechanism?: (typeof MECHANISMS)[number]) => loginTo(kafka, authority.pem, user, mechanism);

/** Opens the log, and joins a group: what either is refused with, and how often who is told of it. */
async function refused(connection: KafkaConnection, code: LogErrorCode | RegExp, says: string): Promise<void> {
  const secrets = new Secrets([WRONG, passwordOf(RATER)]);
  const own = { ...connection, logger: secrets.logger, connectTimeoutMs: 5_000 };
  const tries = [
    openKafkaLog({ connection: own, topics: [TOPIC], unavailableMs: PATIENCE_MS }),
    joinGroup({
      ...{ connection: own, groupId: RATER, topics: [TOPIC.name], unavailableMs: PATIENCE_MS },
      ...{ onAssigned: () => {}, onFailed: () => {} },
    }),
  ];
  for (const tried of await Promise.allSettled(tries)) {
    expect(tried).toMatchObject({
      status: 'rejected',
      reason: { name: expect.stringMatching(code), message: expect.stringContaining(says) },
    });
    secrets.hear(tried);
  }
  secrets.check();
}

describeOnStack('logging in to Kafka', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tollgate-logins-'));
    authority = makeAuthority(folder, 'authority');
    stranger = makeAuthority(folder, 'stranger');
    client = authority.issue(RATER);
    const identity = authority.issue('broker');
    kafka = await startSecureKafka({ folder, identity, authority, users: [RATER], scramUsers: [ADMIN, RATER] });
    await createKafkaTopics(login(ADMIN), topicSpecs({ partitions: 1, logTime: 'append', replicationFactor: 1 }));
    await kafka.allow(kafkaAcls(USE).map((acl) => ({ user: RATER, ...acl })));
  }, LONG_MS);

  afterAll(async () => {
    await stubs.close();
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  }, LONG_MS);

  test.each(MECHANISMS)('a service logs in by %s and works', { timeout: LONG_MS }, (mechanism) =>
    useKafka(login(RATER, mechanism), USE),
  );

  test('a client certificate is a login, too', { timeout: LONG_MS }, async () => {
    const { sasl: _, ...connection } = login(RATER);
    const tls = { ca: authority.pem, ...textsOf(client) };
    await useKafka({ ...connection, brokers: [kafka.mutual], tls }, USE);
  });

  test('a login that ends is renewed, in a log that was idle and in a group', { timeout: LONG_MS }, async () => {
    const connection = login(RATER, 'scram-sha-512');
    const log = await openKafkaLog({ connection, topics: [TOPIC] });
    const events: unknown[] = [];
    const membership = await joinGroup({
      ...{ connection, groupId: RATER, topics: [TOPIC.name], sessionTimeoutMs: 6_000 },
      onAssigned: (partitions) => events.push([...partitions]),
      onFailed: (fault) => events.push(fault),
    });
    await log.append(TOPIC.name, 0, [RECORD]);
    await sleep(SESSION_MS);
    const { firstOffset } = await log.append(TOPIC.name, 0, [RECORD]);
    expect(await log.read(TOPIC.name, 0, firstOffset, { recordsMax: 1, bytesMax: 1000 })).toHaveLength(1);
    expect(events).toEqual([[0]]);
    await membership.leave();
    await log.close();
  });

  describe('is refused by name, and no password is told', () => {
    test.each(MECHANISMS)('a wrong password, by %s', { timeout: LONG_MS }, async (mechanism) => {
      const sasl = { mechanism, username: RATER, password: WRONG };
      await refused({ ...login(RATER), sasl }, 'LogNotAllowed', 'SASL_AUTHENTICATION_FAILED');
    });

    test('a user without rights', { timeout: LONG_MS }, async () => {
      const { sasl: _, ...connection } = login(RATER);
      const tls = { ca: authority.pem, ...textsOf(authority.issue('nobody')) };
      await refused({ ...connection, brokers: [kafka.mutual], tls }, 'LogNotAllowed', 'TOPIC_AUTHORIZATION_FAILED');
    });

    test('an authority that is not trusted, and no authority', { timeout: LONG_MS }, async () => {
      const says = 'unable to verify the first certificate';
      await refused({ ...login(RATER), tls: { ca: stranger.pem } }, 'LogNotTrusted', says);
      await refused({ ...login(RATER), tls: {} }, 'LogNotTrusted', says);
    });

    test('a certificate that has expired', { timeout: LONG_MS }, async () => {
      const brokers = [await stubs.silentTls(authority.issue('old', { days: -1 }))];
      await refused({ ...login(RATER), brokers }, 'LogNotTrusted', 'certificate has expired');
    });

    test('a certificate of another host', { timeout: LONG_MS }, async () => {
      const brokers = [await stubs.silentTls(authority.issue('other', { host: 'kafka.example' }))];
      await refused({ ...login(RATER), brokers }, 'LogNotTrusted', 'does not match certificate');
    });

    test('no client certificate, or one of a stranger', { timeout: LONG_MS }, async () => {
      const { sasl: _, ...connection } = login(RATER);
      const mutual = { ...connection, brokers: [kafka.mutual] };
      await refused(mutual, CUT_OFF, '');
      const tls = { ca: authority.pem, ...textsOf(stranger.issue(RATER)) };
      await refused({ ...mutual, tls }, CUT_OFF, '');
    });

    test('a login where there is none', { timeout: LONG_MS }, async () => {
      const { tls: _, ...connection } = login(RATER);
      await refused({ ...connection, brokers: [kafka.open] }, 'LogNotAllowed', 'ILLEGAL_SASL_STATE');
    });
  });

  describe('may heal, so it is given up after its time, with what is known of it', () => {
    test('TLS to a port that has none', { timeout: LONG_MS }, async () => {
      const says = 'disconnected before secure TLS connection was established';
      await refused({ ...login(RATER), brokers: [kafka.open] }, 'LogUnavailable', says);
    });

    test('no TLS to a port that has it', { timeout: LONG_MS }, async () => {
      const { tls: _, ...connection } = login(RATER);
      await refused(connection, 'LogUnavailable', 'Closed connection');
    });

    test('no login where one is wanted', { timeout: LONG_MS }, async () => {
      const { sasl: _, ...connection } = login(RATER);
      await refused(connection, 'LogUnavailable', 'a broker that only closes connections wants TLS, or a login');
    });

    test('a server that takes connections and says nothing', { timeout: LONG_MS }, async () => {
      const silent = { ...login(RATER), brokers: [await stubs.silent()], connectTimeoutMs: 200 };
      const opening = openKafkaLog({ connection: silent, topics: [TOPIC], unavailableMs: PATIENCE_MS });
      await expect(opening).rejects.toMatchObject({ name: 'LogUnavailable' });
    });

    test('a login that breaks off half-way is no refusal: it is tried again', { timeout: LONG_MS }, async () => {
      for (const mechanism of MECHANISMS) {
        const brokers = [await stubs.breaksOffLogins(authority, kafka.secure, 2)];
        const log = await openKafkaLog({ connection: { ...login(RATER, mechanism), brokers }, topics: [TOPIC] });
        await log.append(TOPIC.name, 0, [RECORD]);
        await log.close();
      }
    });
  });
});

function textsOf({ key, cert }: Identity): { readonly key: string; readonly cert: string } {
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}
