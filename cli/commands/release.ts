import { type Command, InvalidArgumentError, Option } from 'commander';
import { pino } from 'pino';
import { LOG_TIMES, type LogTime } from '../../platform/log/port.ts';
import { RegistryError } from '../../platform/registry/port.ts';
import { clusterRegistry } from '../../services/shared/runtime/connect.ts';
import {
  CLUSTER_VARIABLES,
  type ClusterSettings,
  EnvironmentInvalid,
  readVariables,
} from '../../services/shared/runtime/variables.ts';
import { lookUpSchemas, type RegisteredSchema, registerSchemas } from '../../services/shared/wire/register-schemas.ts';
import { createTopics, migrateWarehouse } from '../cluster/prepare.ts';
import { CommandFailed } from '../failure.ts';
import { BadCall } from '../replay.ts';
import { columns } from '../terminal/columns.ts';
import { helpEnd, wholeNumber } from './options.ts';
import { addWarehouseRebuild } from './warehouse-rebuild.ts';
import { type World, write } from './world.ts';

interface TopicsCall {
  readonly partitions: number;
  readonly replication: number;
  readonly logTime: LogTime;
}

const PARTITIONS = 48;
const REPLICATION = 3;

/**
 * `tollgate topics create`, `tollgate schemas register|check`, `tollgate warehouse migrate`: what a release does before its
 * services start. They find the servers as the services do, by the environment.
 */
export function addRelease(program: Command, world: World): void {
  const topics = group(program, 'topics', 'Create the topics of a cluster', 'create');
  topics
    .command('create')
    .description('Create the topics that are missing; the same again changes nothing')
    .option('--partitions <n>', 'of each topic; fixed for ever, since an account is tied to one', positive, PARTITIONS)
    .option('--replication <n>', 'on how many brokers each record is kept', positive, REPLICATION)
    .addOption(
      new Option('--log-time <time>', 'what time an event has: that of its append, or its own (imports, tests)')
        .choices(LOG_TIMES)
        .default('append'),
    )
    .addHelpText('after', helpEnd(['TOLLGATE_KAFKA_BROKERS=10.0.0.7:9092 tollgate topics create --partitions 48']))
    .action(async ({ partitions, replication, logTime }: TopicsCall) => {
      const logger = pino({ level: 'silent' });
      const options = { partitions, logTime, replicationFactor: replication };
      await write(world.stdout, `${(await createTopics(settingsOf(world), options, logger)).join('\n')}\n`);
    });

  const schemas = group(program, 'schemas', 'Register the schemas of the topics', 'register');
  schemas
    .command('register')
    .description('Register every released version of every schema; services never do. The same again changes nothing')
    .option('--json', 'print them as JSON')
    .addHelpText('after', helpEnd(['tollgate schemas register']))
    .action(({ json }: { json?: boolean }) => tellSchemas(json === true, world, registerSchemas));
  schemas
    .command('check')
    .description('Tell which versions the registry has, and under which ids; change nothing')
    .option('--json', 'print them as JSON')
    .addHelpText('after', helpEnd(['tollgate schemas check'], ['1  one is missing: services would not start']))
    .action(({ json }: { json?: boolean }) => tellSchemas(json === true, world, lookUpSchemas));

  const warehouse = group(program, 'warehouse', 'Migrate or rebuild the tables of the warehouse', 'migrate');
  warehouse
    .command('migrate')
    .description('Apply the migrations that are missing, in order; the same again changes nothing')
    .addHelpText('after', helpEnd(['tollgate warehouse migrate']))
    .action(async () => {
      const applied = await migrateWarehouse(settingsOf(world));
      await write(world.stdout, applied.length === 0 ? 'nothing to do\n' : `${applied.join('\n')}\n`);
    });
  addWarehouseRebuild(warehouse, world);
}

function group(program: Command, name: string, what: string, example: string): Command {
  return program
    .command(name)
    .summary(what)
    .description(`${what}, which the environment names as for the services (docs/OPERATIONS.md)`)
    .addHelpText('after', helpEnd([`tollgate ${name} ${example}`]));
}

/** @throws BadCall */
function settingsOf(world: World): ClusterSettings {
  try {
    return readVariables(CLUSTER_VARIABLES, world.environment);
  } catch (fault) {
    throw fault instanceof EnvironmentInvalid ? new BadCall(fault.message) : fault;
  }
}

async function tellSchemas(json: boolean, world: World, ask: typeof registerSchemas): Promise<void> {
  const found = await ask(clusterRegistry(settingsOf(world))).catch((fault: unknown) => {
    throw fault instanceof RegistryError ? new CommandFailed(fault.message, { cause: fault }) : fault;
  });
  const rows = found.map(rowOf);
  const lines = rows.map(({ subject, release, id }) => [
    subject,
    `release ${release}`,
    id === null ? 'missing' : `id ${id}`,
  ]);
  await write(world.stdout, json ? `${JSON.stringify(rows)}\n` : columns(lines, ['left', 'left', 'left']));
  const missing = rows.filter(({ id }) => id === null).length;
  if (missing > 0) {
    throw new CommandFailed(
      `${missing} of ${rows.length} schemas are not registered: run \`tollgate schemas register\``,
    );
  }
}

function rowOf({ subject, release, id }: RegisteredSchema) {
  return { subject, release: release.number, id: id ?? null };
}

/** A whole number from 1. @throws InvalidArgumentError */
function positive(text: string): number {
  const value = wholeNumber(text);
  if (value < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
}
