import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StackError } from './errors.ts';
import type { Jars } from './jars.ts';
import { javaEnvironment } from './java.ts';
import type { PlannedProcess } from './plan.ts';

export interface KafkaOptions {
  /** Made if absent; the broker's properties and data. */
  readonly dataDir: string;
  readonly port: number;
  readonly controllerPort: number;
  readonly jars: Pick<Jars, 'kafka'>;
  /** For a broker that lives for seconds: half the work until it is ready (2.8 for 5.0 CPU s), slower afterwards. */
  readonly shortLived?: boolean;
}

const LOG_SETTINGS = fileURLToPath(new URL('./log4j2.xml', import.meta.url));
/** Compiles once, and lightly. */
const QUICK = '-XX:TieredStopAtLevel=1';
const FORMAT_MS = 120_000;
const STOP_MS = 60_000;

/** One broker that is its own controller, on loopback. @throws StackError `stack_prepare_failed` */
export async function prepareKafka(options: KafkaOptions): Promise<PlannedProcess> {
  const { dataDir, port, controllerPort, jars, shortLived = false } = options;
  const data = join(dataDir, 'data');
  const settings = join(dataDir, 'server.properties');
  await mkdir(dataDir, { recursive: true });
  await writeFile(settings, properties(data, port, controllerPort));
  const java = ['-cp', join(jars.kafka, '*'), `-Dlog4j2.configurationFile=${LOG_SETTINGS}`];
  if (!existsSync(join(data, 'meta.properties'))) {
    await run('java', [
      ...[QUICK, ...java],
      'kafka.tools.StorageTool',
      'format',
      '-t',
      clusterId(),
      '-c',
      settings,
      '--ignore-formatted',
    ]);
  }
  return {
    name: 'kafka',
    command: 'java',
    args: [...(shortLived ? [QUICK] : []), '-Xmx512m', '-XX:+ExitOnOutOfMemoryError', ...java, 'kafka.Kafka', settings],
    env: javaEnvironment(),
    url: `127.0.0.1:${port}`,
    readiness: { kind: 'tcp', port },
    restart: true,
    stopMs: STOP_MS,
  };
}

function properties(data: string, port: number, controllerPort: number): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': data,
    // a misspelt topic is an error, not a topic
    'auto.create.topics.enable': false,
    'group.initial.rebalance.delay.ms': 0,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}\n`);
  return lines.join('');
}

/** 16 bytes in base64url, as Kafka writes them; a leading `-` would be taken for an option. */
function clusterId(): string {
  return randomBytes(16).toString('base64url').replace(/^-/, 'A');
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, {
    env: javaEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: FORMAT_MS,
    killSignal: 'SIGKILL',
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const how = await new Promise<string>((resolve) => {
    child.once('error', (fault) => resolve(fault.message));
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  if (how !== 'exit code 0') throw new StackError('stack_prepare_failed', `kafka's format ended with ${how}: ${said}`);
}
