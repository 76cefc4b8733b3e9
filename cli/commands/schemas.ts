import type { Command } from 'commander';
import { confluentRegistry } from '../../platform/registry/confluent-registry.ts';
import { RegistryError, type SchemaRegistry } from '../../platform/registry/port.ts';
import { lookUpSchemas, type RegisteredSchema, registerSchemas } from '../../services/shared/wire/register-schemas.ts';
import { CommandFailed } from '../failure.ts';
import { columns } from '../terminal/columns.ts';
import { helpEnd } from './options.ts';
import { type World, write } from './world.ts';

interface SchemasOptions {
  readonly registry: string;
  readonly json?: boolean;
}

const EXAMPLE = 'http://127.0.0.1:8081/apis/ccompat/v7';

/** `tollgate schemas`: the release step that makes the schemas of the topics known to a registry, and a look at it. */
export function addSchemas(program: Command, world: World): void {
  const schemas = program
    .command('schemas')
    .summary('Register the schemas of the topics')
    .description('The Avro schemas of the topics, in the schema registry of a cluster');
  const command = (name: string, what: string): Command =>
    schemas
      .command(name)
      .description(what)
      .requiredOption('--registry <url>', `schema registry, as Confluent's clients address it (Apicurio: ${EXAMPLE})`)
      .option('--json', 'print them as JSON');

  command(
    'register',
    'Register every released version of every schema; services never do. The same again changes nothing',
  )
    .addHelpText(
      'after',
      helpEnd(
        [`tollgate schemas register --registry ${EXAMPLE}`],
        ['1  the registry did not answer, or refused a schema; stderr says which'],
      ),
    )
    .action((options: SchemasOptions) => tell(options, world, registerSchemas));

  command('check', 'Tell which versions the registry has, and under which ids; change nothing')
    .addHelpText(
      'after',
      helpEnd(
        [`tollgate schemas check --registry ${EXAMPLE}`],
        ['1  one is missing, or the registry did not answer; services would not start'],
      ),
    )
    .action((options: SchemasOptions) => tell(options, world, lookUpSchemas));
}

async function tell(
  { registry, json = false }: SchemasOptions,
  world: World,
  ask: (registry: SchemaRegistry) => Promise<readonly RegisteredSchema[]>,
): Promise<void> {
  const found = await ask(confluentRegistry({ url: registry })).catch((fault: unknown) => {
    throw fault instanceof RegistryError ? new CommandFailed(fault.message, { cause: fault }) : fault;
  });
  const rows = found.map(({ subject, release, id }) => ({ subject, release: release.number, id: id ?? null }));
  await write(
    world.stdout,
    json
      ? `${JSON.stringify(rows)}\n`
      : columns(
          rows.map(({ subject, release, id }) => [subject, `release ${release}`, id === null ? 'missing' : `id ${id}`]),
          ['left', 'left', 'left'],
        ),
  );
  const missing = rows.filter(({ id }) => id === null).length;
  if (missing > 0) {
    throw new CommandFailed(
      `${missing} of ${rows.length} schemas are not registered: run \`tollgate schemas register\``,
    );
  }
}
