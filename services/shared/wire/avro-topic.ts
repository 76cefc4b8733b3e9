import type { Type } from 'avsc';
import { avroType } from '../../../platform/registry/avro-type.ts';
import { RegistryError, type SchemaRegistry } from '../../../platform/registry/port.ts';
import { framed, type Resolver, schemaIdOf, unframed } from './avro-frame.ts';
import type { TopicSchema } from './avro-schemas.ts';
import { WireError } from './wire-format.ts';

/** A service was started before the release step. */
export class SchemasNotRegistered extends Error {
  override readonly name = 'SchemasNotRegistered';
}

/** The records of one topic: written by our newest schema, read by it whoever wrote them. */
export class AvroTopicCodec<Value> {
  readonly #registry: SchemaRegistry;
  readonly #type: Type;
  /** What records are written by, and which id that has. */
  readonly #ours: { readonly schema: TopicSchema; readonly id: number };
  /** By a record's id, how to read it; undefined where it is written as it is read. */
  readonly #resolvers: Map<number, Resolver | undefined>;

  private constructor(
    registry: SchemaRegistry,
    type: Type,
    ours: { readonly schema: TopicSchema; readonly id: number },
    resolvers: Map<number, Resolver | undefined>,
  ) {
    this.#registry = registry;
    this.#type = type;
    this.#ours = ours;
    this.#resolvers = resolvers;
  }

  /**
   * Looks up the ids of the topic's schemas.
   * @param schemas its released versions, oldest first
   * Rejects with WireError `RegistryUnavailable`, or with SchemasNotRegistered.
   */
  static async open<Value>(registry: SchemaRegistry, schemas: readonly TopicSchema[]): Promise<AvroTopicCodec<Value>> {
    const newest = schemas.at(-1);
    if (newest === undefined) throw new Error('a topic without a schema');
    const type = avroType(newest.release.schema);
    const resolvers = new Map<number, Resolver | undefined>();
    let id = 0;
    for (const schema of schemas) {
      id = await idOf(registry, schema);
      const same = schema === newest;
      resolvers.set(id, same ? undefined : type.createResolver(avroType(schema.release.schema)));
    }
    return new AvroTopicCodec(registry, type, { schema: newest, id }, resolvers);
  }

  /** A value as a record. @throws Error if it is not of the topic's type */
  encode(value: Value): Buffer {
    return framed(this.#type, this.#ours.id, value);
  }

  /**
   * The value of a record.
   * @throws WireError `RecordUndecodable`, or `SchemaUnknown` if `learn` did not come to know its schema
   */
  decode(bytes: Buffer): Value {
    const id = schemaIdOf(bytes);
    if (id === undefined) throw new WireError('RecordUndecodable', 'it does not begin with the id of a schema');
    const resolver = this.#resolvers.get(id);
    if (resolver === undefined && !this.#resolvers.has(id)) throw new WireError('SchemaUnknown', `schema ${id}`);
    // The one cast: what the type decodes is what scripts/avro-types.mjs says of its schema.
    return unframed(this.#type, resolver, bytes) as Value;
  }

  /** See WireFormat. What can be known is known afterwards, also if it rejects with `SchemaUnknown` for the rest. */
  learn(values: readonly Buffer[]): Promise<void> | undefined {
    let missing: Set<number> | undefined;
    for (const value of values) {
      const id = schemaIdOf(value);
      if (id === undefined || this.#resolvers.has(id)) continue;
      missing ??= new Set();
      missing.add(id);
    }
    return missing === undefined ? undefined : this.#ask(missing);
  }

  async #ask(ids: ReadonlySet<number>): Promise<void> {
    const found = new Map<number, Resolver>();
    for (const id of ids) {
      const writer = await asked(this.#registry.typeOf(id));
      const resolver = writer === undefined ? undefined : this.#resolverFor(writer);
      if (resolver !== undefined) found.set(id, resolver);
    }
    await this.#sameRegistry();
    for (const [id, resolver] of found) this.#resolvers.set(id, resolver);
    const unknown = [...ids].filter((id) => !found.has(id));
    if (unknown.length > 0) throw new WireError('SchemaUnknown', `schema ${unknown.join(', ')}`);
  }

  /** A registry that lost its schemas says 404 to good records too, and may have given their ids to others. */
  async #sameRegistry(): Promise<void> {
    const { schema, id } = this.#ours;
    const now = await asked(this.#registry.idOf(schema.subject, schema.release.schema));
    if (now === id) return;
    const is = now === undefined ? 'not there any more' : now;
    throw new WireError(
      'RegistryUnavailable',
      `the schema of ${schema.topic} had id ${id} and is ${is}: ids were lost`,
    );
  }

  #resolverFor(writer: Type): Resolver | undefined {
    try {
      return this.#type.createResolver(writer);
    } catch (fault) {
      if (fault instanceof Error) return undefined;
      throw fault;
    }
  }
}

async function idOf(registry: SchemaRegistry, { subject, release, topic }: TopicSchema): Promise<number> {
  const id = await asked(registry.idOf(subject, release.schema));
  if (id !== undefined) return id;
  throw new SchemasNotRegistered(
    `version ${release.number} of the schemas is not registered for ${topic}: run \`tollgate schemas register\` once before the services`,
  );
}

async function asked<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (fault) {
    if (!(fault instanceof RegistryError)) throw fault;
    throw new WireError('RegistryUnavailable', fault.message, { cause: fault });
  }
}
