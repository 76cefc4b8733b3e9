import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fetchJars } from '../../../cli/stack/jars.ts';
import { javaEnvironment } from '../../../cli/stack/java.ts';
import { prepareKafka } from '../../../cli/stack/kafka.ts';
import { freePorts } from '../../../cli/stack/ports.ts';
import type { KafkaConnection } from '../../../platform/kafka/connection.ts';
import { checkCode } from '../../../platform/kafka/faults.ts';
import { parseAddress, Wire } from '../../../platform/kafka/wire.ts';
import type { KafkaAcl, KafkaOperation } from '../../../services/shared/runtime/kafka-acls.ts';
import { realProcess } from '../../integration/support/real-process.ts';
import type { Authority, Identity } from './certificates.ts';

export interface SecureKafkaOptions {
  readonly folder: string;
  /** The broker's own certificate. */
  readonly identity: Identity;
  /** That it trusts, and that issued it. */
  readonly authority: Authority;
  /** Who may log in by PLAIN, beside the administrator; each has `passwordOf` its name. */
  readonly users: readonly string[];
  /** Who may log in by SCRAM, too. */
  readonly scramUsers: readonly string[];
}

/** A real broker that lets nobody in without a login, and nobody do what no ACL allows. */
export interface SecureKafka {
  /** TLS with a login: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  readonly secure: string;
  /** TLS with a client certificate, by whose name the client is known. */
  readonly mutual: string;
  /** No TLS, no login. */
  readonly open: string;
  /** Gives all of these rights; resolves once they are in force. */
  allow(acls: readonly GivenAcl[]): Promise<void>;
  /** Takes all rights of a user away; resolves once they are gone. */
  forbid(user: string): Promise<void>;
  stop(): Promise<void>;
}

export interface GivenAcl extends KafkaAcl {
  readonly user: string;
}

export const ADMIN = 'admin';

/** Of a user of the test. It holds what a shell, a URL and a line of properties each hold special. */
export function passwordOf(user: string): string {
  return `pw+/%@:${user}=`;
}

/** A connection to the listener with a login. */
export function loginTo(
  kafka: SecureKafka,
  ca: string,
  user: string,
  mechanism: NonNullable<KafkaConnection['sasl']>['mechanism'] = 'plain',
): KafkaConnection {
  const sasl = { mechanism, username: user, password: passwordOf(user) };
  return { brokers: [kafka.secure], clientId: 'tollgate-test', logger: QUIET, tls: { ca }, sasl };
}

export const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Logins end after so long: a client that works for longer logs in anew, which is what it is short for. (kafkajs does it ten
 * seconds before, and a broker takes no second login within one.)
 */
export const SESSION_MS = 11_500;
const SCRAM = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

/** Starts the broker; the first start in a folder fixes who may log in by SCRAM. */
export async function startSecureKafka(options: SecureKafkaOptions): Promise<SecureKafka> {
  const { folder, scramUsers } = options;
  const jars = await fetchJars((line) => process.stderr.write(`tollgate: ${line}\n`));
  const [secure = 0, mutual = 0, open = 0, controller = 0] = await freePorts(4);
  const dataDir = join(folder, 'kafka');
  const settingsFile = join(dataDir, 'server.properties');
  const settings = propertiesOf(options, join(dataDir, 'data'), { secure, mutual, open, controller });
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(settingsFile, settings);
  await format(jars.kafka, settingsFile, scramUsers);
  const planned = await prepareKafka({ dataDir, port: open, controllerPort: controller, jars, shortLived: true });
  writeFileSync(settingsFile, settings);
  const broker = realProcess(planned, { logFile: join(folder, 'kafka.log') });
  await broker.start();
  const kafka: SecureKafka = {
    secure: `127.0.0.1:${secure}`,
    mutual: `127.0.0.1:${mutual}`,
    open: `127.0.0.1:${open}`,
    allow: (acls) => allow(kafka, options.authority.pem, acls),
    forbid: (user) => forbid(kafka, options.authority.pem, user),
    stop: () => broker.stop(),
  };
  return kafka;
}

function propertiesOf(
  { identity, authority, users }: SecureKafkaOptions,
  data: string,
  ports: Readonly<Record<'secure' | 'mutual' | 'open' | 'controller', number>>,
): string {
  const listeners = Object.entries(ports).map(([name, port]) => `${name.toUpperCase()}://127.0.0.1:${port}`);
  const own = `username="${ADMIN}" password="${passwordOf(ADMIN)}"`;
  const all = [ADMIN, ...users].map((user) => `user_${user}="${passwordOf(user)}"`).join(' ');
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    listeners: listeners.join(','),
    'advertised.listeners': listeners.slice(0, -1).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'SECURE',
    'listener.security.protocol.map': 'SECURE:SASL_SSL,MUTUAL:SSL,OPEN:PLAINTEXT,CONTROLLER:SASL_PLAINTEXT',
    'sasl.enabled.mechanisms': ['PLAIN', ...SCRAM].join(','),
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    'sasl.mechanism.controller.protocol': 'PLAIN',
    'listener.name.controller.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.controller.plain.sasl.jaas.config': `${MODULES}.plain.PlainLoginModule required ${own} ${all};`,
    'listener.name.secure.plain.sasl.jaas.config': `${MODULES}.plain.PlainLoginModule required ${own} ${all};`,
    'listener.name.secure.scram-sha-256.sasl.jaas.config': `${MODULES}.scram.ScramLoginModule required;`,
    'listener.name.secure.scram-sha-512.sasl.jaas.config': `${MODULES}.scram.ScramLoginModule required;`,
    'connections.max.reauth.ms': SESSION_MS,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': identity.bundle,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': authority.ca,
    'listener.name.mutual.ssl.client.auth': 'required',
    'ssl.principal.mapping.rules': 'RULE:^CN=([^,]+)$/$1/,DEFAULT',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': false,
    'super.users': `User:${ADMIN}`,
    'log.dirs': data,
    'auto.create.topics.enable': false,
    'group.initial.rebalance.delay.ms': 0,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}\n`);
  return lines.join('');
}

const MODULES = 'org.apache.kafka.common.security';

/** SCRAM's passwords are made with the broker's folder; later ones are given by `kafka-configs.sh`. */
async function format(jars: string, settings: string, users: readonly string[]): Promise<void> {
  const id = randomBytes(16).toString('base64url').replace(/^-/, 'A');
  const scram = users.flatMap((user) =>
    SCRAM.flatMap((mechanism) => ['--add-scram', `${mechanism}=[name=${user},password="${passwordOf(user)}"]`]),
  );
  const args = ['-XX:TieredStopAtLevel=1', '-cp', join(jars, '*'), 'kafka.tools.StorageTool', 'format'];
  await promisify(execFile)('java', [...args, '-t', id, '-c', settings, ...scram], {
    env: javaEnvironment(),
    timeout: 120_000,
  });
}

/** Kafka's numbers. */
const RESOURCES: Readonly<Record<KafkaAcl['resource'], number>> = { topic: 2, group: 3 };
const OPERATIONS: Readonly<Record<KafkaOperation, number>> = {
  ...{ Read: 3, Write: 4, Create: 5, Describe: 8, DescribeConfigs: 10 },
};
const ANY = 1;
const ALLOW = 3;
const LITERAL = 3;
const ANY_PATTERN = 1;
const LOOKS_MAX = 600;

interface CreatedAcls {
  readonly creationResponses: readonly { readonly errorCode: number }[];
}

interface DeletedAcls {
  readonly filterResponses: readonly { readonly errorCode: number }[];
}

interface FoundAcls {
  readonly errorCode: number;
  readonly resources: readonly { readonly acls: readonly unknown[] }[];
}

async function allow(kafka: SecureKafka, ca: string, acls: readonly GivenAcl[]): Promise<void> {
  await asAdmin(kafka, ca, async (wire) => {
    const before = await countAcls(wire, null);
    const created = await wire.ask<CreatedAcls>('CreateAcls', {
      creations: acls.map(({ user, operation, resource, name }) => ({
        ...{ resourceType: RESOURCES[resource], resourceName: name, resourcePatternType: LITERAL },
        ...{ principal: `User:${user}`, host: '*', operation: OPERATIONS[operation], permissionType: ALLOW },
      })),
    });
    for (const { errorCode } of created.creationResponses) checkCode(errorCode, 'creation of ACLs');
    await until(async () => (await countAcls(wire, null)) >= before + acls.length);
  });
}

async function forbid(kafka: SecureKafka, ca: string, user: string): Promise<void> {
  await asAdmin(kafka, ca, async (wire) => {
    const { filterResponses } = await wire.ask<DeletedAcls>('DeleteAcls', { filters: [allOf(user)] });
    for (const { errorCode } of filterResponses) checkCode(errorCode, 'deletion of ACLs');
    await until(async () => (await countAcls(wire, user)) === 0);
  });
}

async function asAdmin(kafka: SecureKafka, ca: string, work: (wire: Wire) => Promise<void>): Promise<void> {
  const wire = await Wire.open(loginTo(kafka, ca, ADMIN), parseAddress(kafka.secure));
  try {
    await work(wire);
  } finally {
    wire.close();
  }
}

/** @param user null for all */
async function countAcls(wire: Wire, user: string | null): Promise<number> {
  const { errorCode, resources } = await wire.ask<FoundAcls>('DescribeAcls', allOf(user));
  checkCode(errorCode, 'ACLs');
  return resources.reduce((sum, { acls }) => sum + acls.length, 0);
}

function allOf(user: string | null) {
  return {
    ...{ resourceType: ANY, resourceName: null, resourcePatternType: ANY_PATTERN },
    ...{ principal: user === null ? null : `User:${user}`, host: null, operation: ANY, permissionType: ANY },
  };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; !(await holds()); looks += 1) {
    if (looks === LOOKS_MAX) throw new Error('the ACLs do not come into force');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
