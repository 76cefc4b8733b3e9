import avro, { type Type } from 'avsc';
import { BoundedArray, BoundedMap } from './bounded-types.ts';
import { Decimal } from './decimal.ts';

/** How every schema is read here: unions bare, decimals as `bigint`, nothing longer than its bytes. */
export const AVRO_OPTIONS = Object.freeze({
  // Under `auto` a branch that makes a union ambiguous would wrap values that were bare before.
  wrapUnions: 'never',
  logicalTypes: { decimal: Decimal },
  typeHook: boundedType,
} as const);

/**
 * The type of a schema.
 * @param schema an Avro schema as JSON text
 * @throws Error if it is none, or has a union whose branches bare values do not tell apart
 */
export function avroType(schema: string): Type {
  // A copy each time: avsc keeps the names that it has seen in the options, and refuses them the next time.
  return avro.Type.forSchema(JSON.parse(schema), { ...AVRO_OPTIONS });
}

type Schema = Parameters<typeof avro.Type.forSchema>[0];
type Options = ConstructorParameters<typeof BoundedArray>[1];

function boundedType(schema: Schema, options: Options): Type | undefined {
  if (typeof schema !== 'object' || !('type' in schema)) return undefined;
  if (schema.type === 'array') return new BoundedArray(schema, options);
  if (schema.type === 'map') return new BoundedMap(schema, options);
  return undefined;
}
