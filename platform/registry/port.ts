import type { Type } from 'avsc';

/** The levels of compatibility that are used here. FULL_TRANSITIVE: every version reads what every other wrote. */
export type Compatibility = 'FULL_TRANSITIVE';

/**
 * A schema registry: what the schemas of a topic are, and which number of a record's head means which. Beside what each says, all
 * reject with RegistryError `RegistryNotAllowed` and `RegistryNotTrusted`.
 */
export interface SchemaRegistry {
  /**
   * The id under which a schema stands in a subject; undefined if it is not registered there.
   * Rejects with RegistryError `RegistryUnreachable`.
   */
  idOf(subject: string, schema: string): Promise<number | undefined>;

  /**
   * The type of an id's schema, to decode with; undefined if the registry has no such id, or no Avro schema that can be read
   * under it. Rejects with RegistryError `RegistryUnreachable`.
   */
  typeOf(id: number): Promise<Type | undefined>;

  /**
   * Makes a schema a version of a subject, which is held to this level from then on; the same again changes nothing. Only a
   * release does this, never a service.
   * @returns its id
   * Rejects with RegistryError `RegistryUnreachable`, `SchemaIncompatible`, or `LevelDiffers`.
   */
  register(subject: string, schema: string, compatibility: Compatibility): Promise<number>;
}

export const REGISTRY_ERRORS = {
  RegistryUnreachable: 'the schema registry did not answer as one; see that it runs and that its address is right',
  RegistryNotAllowed: 'the schema registry refuses this client; see its user, its password and what it may do',
  RegistryNotTrusted:
    'no TLS with the schema registry; see its certificate, the authorities that are trusted, and the port',
  SchemaIncompatible:
    'the registry refuses the schema: readers and writers of other versions could not read each other',
  LevelDiffers: 'the subject is held to another level of compatibility; somebody set it by hand',
} as const;

export type RegistryErrorCode = keyof typeof REGISTRY_ERRORS;

/** What a registry rejects with. `name` is its code. */
export class RegistryError extends Error {
  readonly code: RegistryErrorCode;

  constructor(code: RegistryErrorCode, detail: string, options?: ErrorOptions) {
    super(`${detail}: ${REGISTRY_ERRORS[code]}`, options);
    this.name = code;
    this.code = code;
  }
}
