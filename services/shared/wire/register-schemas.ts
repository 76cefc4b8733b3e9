import type { SchemaRegistry } from '../../../platform/registry/port.ts';
import { COMPATIBILITY, type TopicSchema, topicSchemas } from './avro-schemas.ts';

/** A version of a topic's schema, and the id that the registry has for it; undefined if it is not there. */
export interface RegisteredSchema extends TopicSchema {
  readonly id: number | undefined;
}

/**
 * The release step: registers every released version of every topic's schema, in the order of their release, so that a
 * registry set up anew gives them the ids that it gave before. The same again changes nothing.
 * Rejects with RegistryError.
 */
export async function registerSchemas(registry: SchemaRegistry): Promise<readonly RegisteredSchema[]> {
  const registered: RegisteredSchema[] = [];
  for (const schema of await topicSchemas()) {
    const id = await registry.register(schema.subject, schema.release.schema, COMPATIBILITY);
    registered.push({ ...schema, id });
  }
  return registered;
}

/** Which versions the registry has, and under which ids; changes nothing. Rejects with RegistryError. */
export async function lookUpSchemas(registry: SchemaRegistry): Promise<readonly RegisteredSchema[]> {
  const found: RegisteredSchema[] = [];
  for (const schema of await topicSchemas()) {
    found.push({ ...schema, id: await registry.idOf(schema.subject, schema.release.schema) });
  }
  return found;
}
