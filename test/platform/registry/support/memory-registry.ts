import { avroType } from '../../../../platform/registry/avro-type.ts';
import { RegistryError, type SchemaRegistry } from '../../../../platform/registry/port.ts';

/** A registry in memory that can be taken away, made to forget everything, and asked how often it was asked. */
export interface MemoryRegistry extends SchemaRegistry {
  readonly calls: () => number;
  setDown(down: boolean): void;
  /** Everything is lost, and ids begin anew. */
  forget(): void;
}

export function memoryRegistry(): MemoryRegistry {
  let schemas: string[] = [];
  let subjects = new Set<string>();
  let down = false;
  let calls = 0;
  const ask = (): void => {
    calls += 1;
    if (down) throw new RegistryError('RegistryUnreachable', 'asking');
  };
  const keyOf = (subject: string, id: number): string => `${subject} ${id}`;
  const idOf = (schema: string): number => schemas.indexOf(schema) + 1;
  return {
    idOf: async (subject, schema) => {
      ask();
      const id = idOf(schema);
      return subjects.has(keyOf(subject, id)) ? id : undefined;
    },
    typeOf: async (id) => {
      ask();
      const schema = schemas[id - 1];
      return schema === undefined ? undefined : avroType(schema);
    },
    register: async (subject, schema) => {
      ask();
      if (idOf(schema) === 0) schemas.push(schema);
      subjects.add(keyOf(subject, idOf(schema)));
      return idOf(schema);
    },
    calls: () => calls,
    setDown: (value) => {
      down = value;
    },
    forget: () => {
      schemas = [];
      subjects = new Set();
    },
  };
}
