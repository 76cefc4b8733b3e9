import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { createKafkaTopics } from '../../platform/log/kafka-topics.ts';
import { migrate, readMigrations } from '../../platform/warehouse/migrations.ts';
import { clusterRegistry, clusterWarehouse, kafkaConnection } from '../../services/shared/runtime/connect.ts';
import { type TopicsOptions, topicSpecs } from '../../services/shared/runtime/topic-specs.ts';
import type { ClusterSettings } from '../../services/shared/runtime/variables.ts';
import { registerSchemas } from '../../services/shared/wire/register-schemas.ts';

/** schemas/ stands beside the sources, and above the compiled files. */
const MIGRATION_FOLDERS = ['../../schemas/clickhouse', '../../../schemas/clickhouse'];

/**
 * What a release does before its services start: topics, schemas, tables. The same again changes nothing.
 * @throws LogError, RegistryError, WarehouseError
 */
export async function prepareCluster(settings: ClusterSettings, topics: TopicsOptions, logger: Logger): Promise<void> {
  await createTopics(settings, topics, logger);
  await registerSchemas(clusterRegistry(settings));
  await migrateWarehouse(settings);
}

/** Creates the topics that are missing. @returns the names of all @throws LogError `LogTopicChanged`, ... */
export async function createTopics(
  settings: ClusterSettings,
  options: TopicsOptions,
  logger: Logger,
): Promise<readonly string[]> {
  const specs = topicSpecs(options);
  await createKafkaTopics(kafkaConnection(settings, 'tollgate-topics', logger), specs);
  return specs.map(({ name }) => name);
}

/** Applies the migrations that are missing. @returns their names @throws WarehouseError */
export async function migrateWarehouse(settings: ClusterSettings): Promise<readonly string[]> {
  const warehouse = clusterWarehouse(settings);
  try {
    const { TOLLGATE_CLICKHOUSE_CLUSTER: cluster } = settings;
    return await migrate(warehouse, await readMigrations(migrationsFolder()), cluster === undefined ? {} : { cluster });
  } finally {
    await warehouse.close();
  }
}

/** Where the migrations of the warehouse are. */
export function migrationsFolder(): string {
  const folders = MIGRATION_FOLDERS.map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const found = folders.find((folder) => existsSync(folder));
  if (found === undefined) throw new Error(`the migrations of the warehouse are in none of ${folders.join(', ')}`);
  return found;
}
