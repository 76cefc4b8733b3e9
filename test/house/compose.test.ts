import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { NODE_FLAGS } from '../../cli/cluster/services.ts';
import { commands } from '../../cli/commands/tollgate.ts';
import { prepareRedis } from '../../cli/stack/redis.ts';
import { createKeyRing, type KeyEntry } from '../../services/ingest/keys.ts';
import { CLUSTER_VARIABLES, readVariables, SERVICE_VARIABLES } from '../../services/shared/runtime/variables.ts';
import { ROOT, readRepoFile } from './repo.ts';

const condition = z.enum(['service_healthy', 'service_completed_successfully']);
const service = z.object({
  ...{ image: z.string(), command: z.array(z.string()).default([]), ports: z.array(z.string()).default([]) },
  ...{ environment: z.record(z.string(), z.string()).default({}), volumes: z.array(z.string()).default([]) },
  depends_on: z.record(z.string(), z.object({ condition })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  restart: z.string(),
});
const compose = z.object({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.unknown()) });

const require = createRequire(import.meta.url);
const DCLINT = join(dirname(require.resolve('dclint')), '..', 'bin', 'dclint.cjs');
const FILE = 'docker-compose.yml';
const text = readRepoFile(FILE);
const { services, volumes } = compose.parse(parse(text, { merge: true }));
const SERVERS = ['kafka', 'registry', 'redis', 'clickhouse'] as const;
const PIPELINE = Object.keys(SERVICE_VARIABLES);
const ONE_SHOTS = Object.keys(services).filter((name) => !PIPELINE.includes(name) && !isServer(name));

describe('house: docker-compose.yml', () => {
  test('is what the Compose specification allows', () => {
    expect(lint(FILE)).toEqual([]);
  });

  test('and a breach of the specification would be told', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-compose-'));
    const broken = join(folder, FILE);
    writeFileSync(broken, text.replace('condition: service_healthy', 'condition: service_sound'));
    const told = lint(broken);
    rmSync(folder, { recursive: true });
    expect(told.join('\n')).toContain('/depends_on');
  });

  test('runs the servers and every service of the pipeline, each under a restart policy', () => {
    expect(Object.keys(services)).toEqual(expect.arrayContaining([...SERVERS, ...PIPELINE]));
    for (const [name, { restart }] of Object.entries(services)) {
      expect(`${name}: ${restart}`).toMatch(ONE_SHOTS.includes(name) ? /: on-failure:\d+$/ : /: unless-stopped$/);
    }
  });

  test('takes servers of a pinned version, Kafka and registry that of the stack', () => {
    const pom = readRepoFile('cli/stack/pom.xml');
    expect(services.kafka?.image).toBe(`apache/kafka:${/<kafka\.version>(.+)</.exec(pom)?.[1]}`);
    expect(services.registry?.image).toBe(`apicurio/apicurio-registry:${/<registry\.version>(.+)</.exec(pom)?.[1]}`);
    for (const name of SERVERS) expect(services[name]?.image).toMatch(/^[a-z/-]+:\d+\.\d+(\.\d+)?$/);
  });

  test('publishes on loopback only', () => {
    const published = Object.values(services).flatMap(({ ports }) => ports);
    expect(published.length).toBeGreaterThanOrEqual(5);
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test('has a health check wherever somebody waits for health, and keeps no data in a container', () => {
    for (const { depends_on: waited } of Object.values(services)) {
      for (const [name, { condition }] of Object.entries(waited)) {
        expect(services).toHaveProperty(name);
        const expected = ONE_SHOTS.includes(name) ? 'service_completed_successfully' : 'service_healthy';
        expect(`${name}: ${condition}`).toBe(`${name}: ${expected}`);
      }
    }
    const unchecked = Object.entries(services).filter(([, { healthcheck }]) => healthcheck === undefined);
    expect(unchecked.map(([name]) => name)).toEqual(ONE_SHOTS);
    const used = Object.values(services).flatMap((one) => one.volumes.map((volume) => volume.split(':')[0]));
    expect(used.sort()).toEqual(Object.keys(volumes).sort());
  });

  test('starts no service before topics, schemas and tables are there, by commands that exist', () => {
    const program = commands({
      ...{ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, now: () => 0 },
      settings: { key: undefined, logLevel: 'silent' },
      environment: {},
      interruption: () => new AbortController().signal,
    });
    for (const name of PIPELINE)
      expect(Object.keys(services[name]?.depends_on ?? {})).toEqual(expect.arrayContaining(ONE_SHOTS));
    expect(ONE_SHOTS).toEqual(['topics', 'schemas', 'migrations']);
    for (const name of ONE_SHOTS) {
      const [node, main, group, action] = services[name]?.command ?? [];
      expect([node, main]).toEqual(['node', 'dist/cli/main.js']);
      const found = program.commands.find((command) => command.name() === group)?.commands ?? [];
      expect(
        found.map((command) => command.name()),
        `tollgate ${group} ${action}`,
      ).toContain(action);
      const { environment = {} } = services[name] ?? {};
      expect(Object.keys(environment).filter((variable) => !(variable in CLUSTER_VARIABLES.shape))).toEqual([]);
    }
  });

  test.each(PIPELINE)('gives %s the file, the variables and the addresses that it reads', (name) => {
    const { command = [], environment = {} } = services[name] ?? {};
    expect(command).toEqual([
      'node',
      ...(new Map(Object.entries(NODE_FLAGS)).get(name) ?? []),
      `dist/services/${name}/main.js`,
    ]);
    expect(existsSync(join(ROOT, `services/${name}/main.ts`))).toBe(true);
    const variables = variablesOf(name);
    expect(Object.keys(environment).filter((variable) => !(variable in variables.shape))).toEqual([]);
    expect(readVariables<unknown>(variables, resolved(environment))).toMatchObject({
      TOLLGATE_KAFKA_BROKERS: [{ host: 'kafka', port: 9092 }],
      TOLLGATE_REDIS_NODES: [{ host: 'redis', port: 6379 }],
      TOLLGATE_REGISTRY_URL: 'http://registry:8080/apis/ccompat/v7',
      TOLLGATE_CLICKHOUSE_URL: 'http://clickhouse:8123',
      TOLLGATE_CLICKHOUSE_DATABASE: services.clickhouse?.environment.CLICKHOUSE_DB,
      TOLLGATE_CLICKHOUSE_USERNAME: services.clickhouse?.environment.CLICKHOUSE_USER,
      TOLLGATE_CLICKHOUSE_PASSWORD: resolved(services.clickhouse?.environment ?? {}).CLICKHOUSE_PASSWORD,
    });
    expect(services[name]?.healthcheck?.test.join(' ')).toContain(`:${environment.TOLLGATE_OPERATIONS_PORT}/readyz`);
  });

  test('sets Redis as the stack does, and makes no topic by itself', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-compose-'));
    const { args } = await prepareRedis({ dataDir: folder, port: 6379 });
    rmSync(folder, { recursive: true });
    const { command = [] } = services.redis ?? {};
    const durable = ['--appendonly', '--appendfsync', '--maxmemory-policy', '--save'];
    for (const name of durable) expect(valueAfter(command, name), name).toBe(valueAfter(args, name));
    expect(services.kafka?.environment.KAFKA_AUTO_CREATE_TOPICS_ENABLE).toBe('false');
  });
});

describe('house: the operator key that docker-compose.yml tells how to make', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tollgate-key-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is one that the door knows', () => {
    const lines = text.split('\n').filter((line) => line.startsWith('#   '));
    const script = lines.map((line) => line.slice(4));
    const made = script
      .slice(
        0,
        script.findIndex((line) => line.startsWith('docker compose')),
      )
      .join('\n');
    const key = execFileSync('bash', ['-c', made], { cwd: folder, encoding: 'utf8' }).trim();
    const entries: KeyEntry[] = z
      .array(z.object({ id: z.string(), role: z.literal('operator'), accounts: z.literal('all'), sha256: z.string() }))
      .parse(JSON.parse(readFileSync(join(folder, 'keys.json'), 'utf8')));
    expect(createKeyRing(entries).find(`Bearer ${key}`, 0)).toMatchObject({ role: 'operator', accounts: 'all' });
  });
});

describe('house: Dockerfile', () => {
  const dockerfile = readRepoFile('Dockerfile');

  test('runs as nobody special, on the Node of .nvmrc, without what is for development', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(last).toContain('\nUSER node\n');
    expect(dockerfile).toContain(`FROM node:${readRepoFile('.nvmrc').trim()}.`);
    expect(last).toContain('COPY --from=dependencies /app/node_modules');
    expect(dockerfile).toContain('npm ci --omit=dev');
  });

  test('is given all that is compiled, and nothing that is not named', () => {
    const [first, ...named] = readRepoFile('.dockerignore').trim().split('\n');
    expect(first).toBe('*');
    const [, built = ''] = /BUILT_FOLDERS = \[(.*)\]/.exec(readRepoFile('scripts/setup.mjs')) ?? [];
    const folders = [...built.matchAll(/'(\w+)'/g)].map((found) => `!${found[1]}`);
    expect(folders.length).toBeGreaterThanOrEqual(6);
    expect(named).toEqual(expect.arrayContaining(folders));
    for (const line of named.filter((entry) => entry.startsWith('!')))
      expect(existsSync(join(ROOT, line.slice(1)))).toBe(true);
  });
});

const linted = z.array(
  z.object({ messages: z.array(z.object({ rule: z.string(), line: z.number(), message: z.string() })) }),
);

/** What the schema of the Compose specification says against a file, and dclint's rules that are more than taste. */
function lint(path: string): string[] {
  const args = [DCLINT, '--quiet', '--formatter', 'json', path];
  const { stdout } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  const found = linted.parse(JSON.parse(stdout)).flatMap(({ messages }) => messages);
  return found.map(({ rule, line, message }) => `${rule}:${line}: ${message}`);
}

function isServer(name: string): boolean {
  return SERVERS.some((server) => server === name);
}

function variablesOf(name: string) {
  const found = Object.entries(SERVICE_VARIABLES).find(([service]) => service === name);
  if (found === undefined) throw new Error(`there is no service ${name}`);
  return found[1];
}

/** With the default in place of each `${NAME:-default}`. */
function resolved(environment: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(environment);
  return Object.fromEntries(entries.map(([name, value]) => [name, value.replace(/\$\{\w+:-(.*?)\}/g, '$1')]));
}

function valueAfter(args: readonly string[], name: string): string | undefined {
  return args[args.indexOf(name) + 1];
}
