import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KAFKA_USES, kafkaAcls } from '../../services/shared/runtime/kafka-acls.ts';
import type { ServiceName } from '../../services/shared/runtime/variables.ts';
import { granted, opened, priced, used } from '../cli/support/events.ts';
import { run } from '../cli/support/run.ts';
import { describeOnStack } from '../integration/support/components.ts';
import { eventually } from '../integration/support/operator.ts';
import { type LockedCluster, PASSWORDS, startLockedCluster } from './support/locked-cluster.ts';
import { Secrets } from './support/secrets.ts';
import { passwordOf } from './support/secure-kafka.ts';

const UP_MS = 900_000;
const LONG_MS = 300_000;
const WRONG = 'wrong-and-secret';
const USERS = Object.keys(KAFKA_USES);

let folder = '';
let cluster: LockedCluster;

async function post(...lines: readonly string[]): Promise<void> {
  const answer = await fetch(`${cluster.door}/v1/events?wait=applied&timeout_ms=60000`, {
    method: 'POST',
    headers: { authorization: `Bearer ${cluster.operatorKey}`, 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  });
  expect({ status: answer.status, text: await answer.text() }).toMatchObject({ status: 202 });
}

/** `tollgate ARGS` as a user of Kafka. */
async function tollgate(user: keyof typeof KAFKA_USES, ...args: readonly string[]) {
  return run([...args, '--cluster'], { env: cluster.environmentOf(user) });
}

/** Runs a service until it ends. */
async function ended(service: ServiceName, other: Readonly<Record<string, string>>) {
  const { command, args, env } = await cluster.planned(service, other);
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code]: unknown[] = await once(child, 'exit');
  return { code, said: (await said).join('\n') };
}

describeOnStack('a cluster with TLS and logins everywhere, and the rights of the documents', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tollgate-locked-'));
    cluster = await startLockedCluster(folder);
  }, UP_MS);

  afterAll(async () => {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  }, LONG_MS);

  test(
    'rates usage, gives commands, and its bill can be proven',
    async () => {
      await post(priced(0), opened(0, 'acme'), granted(0, 'acme', 'g1', '1'));
      await post(...Array.from({ length: 30 }, (_, minute) => used(minute + 1, 'acme', 'n1')));
      await eventually(async () => {
        const { stdout } = await tollgate('tollgate-reader', 'tail', 'control.alerts', '--from', '0', '--no-follow');
        expect(stdout).toContain('"acme"');
      });
      const { stdout, stderr } = await tollgate('tollgate-reader', 'verify', '--partition', '0', '--json');
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual({ end: 33, verified: true, differences: {} });
    },
    LONG_MS,
  );

  test(
    'a command without rights says so and ends with 1',
    async () => {
      const { code, stderr } = await tollgate('tollgate-agent', 'tail', '--from', '0', '--no-follow');
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('TOPIC_AUTHORIZATION_FAILED'),
      });
    },
    LONG_MS,
  );

  test.each([
    ['Kafka', 'TOLLGATE_KAFKA_PASSWORD', 'LogNotAllowed'],
    ['the registry', 'TOLLGATE_REGISTRY_PASSWORD', 'RegistryNotAllowed'],
    ['Redis', 'TOLLGATE_REDIS_PASSWORD', 'RedisNotAllowed'],
  ])(
    'a service with a wrong password of %s ends with 1, says what it is, and not the password',
    async (_, variable, name) => {
      const { code, said } = await ended('rater', { [variable]: WRONG });
      expect({ code, said }).toMatchObject({ code: 1, said: expect.stringContaining(name) });
      expect(said).not.toContain(WRONG);
    },
    LONG_MS,
  );

  test(
    'a service whose rights are taken away ends and says so; given again, it goes on where it was',
    async () => {
      await cluster.kafka.forbid('tollgate-rater');
      await eventually(async () => {
        expect(cluster.logs().get('rater.log')).toMatch(/"LogNotAllowed".*the service has failed/);
      });
      await cluster.kafka.allow(
        kafkaAcls(KAFKA_USES['tollgate-rater']).map((acl) => ({ user: 'tollgate-rater', ...acl })),
      );
      await post(used(31, 'acme', 'n1'));
      const { stdout } = await tollgate('tollgate-reader', 'verify', '--partition', '0', '--json');
      expect(JSON.parse(stdout)).toEqual({ end: 34, verified: true, differences: {} });
      expect(cluster.services.rater.deaths[0]).toContain('exit code 1');
    },
    LONG_MS,
  );

  test('no password and no key stands in what the services have written', () => {
    const secrets = new Secrets([...USERS.map(passwordOf), ...Object.values(PASSWORDS), cluster.operatorKey]);
    expect(cluster.logs().size).toBe(3);
    for (const [name, log] of cluster.logs()) {
      expect(log, name).toContain('"started"');
      secrets.hear(log);
    }
    secrets.check();
  });
});
