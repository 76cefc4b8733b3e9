/**
 * Writes services/shared/wire/avro-types.ts: the TypeScript types of schemas/avro/*.avsc, as platform/registry/avro-type.ts
 * decodes them. Run it after every change of a schema: `node scripts/avro-types.mjs`. A test fails when that was forgotten.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMain, ROOT } from './setup.mjs';

/** @typedef {{ name: string, type: Schema, doc?: string }} Field */
/**
 * @typedef {object} Complex
 * @property {Schema} type
 * @property {string} [name]
 * @property {string} [doc]
 * @property {string} [logicalType]
 * @property {Schema} [items]
 * @property {string[]} [symbols]
 * @property {Field[]} [fields]
 */
/** @typedef {string | Complex | (string | Complex)[]} Schema */

const SCHEMAS = join(ROOT, 'schemas', 'avro');
const TYPES = join(ROOT, 'services', 'shared', 'wire', 'avro-types.ts');

/** @type {ReadonlyMap<string, string>} */
const PRIMITIVES = new Map([
  ['null', 'null'],
  ['boolean', 'boolean'],
  ['int', 'number'],
  ['long', 'number'],
  ['string', 'string'],
]);

/**
 * The text of the types' file. A decimal is a bigint of its smallest units, an instant is milliseconds.
 *
 * @returns {string}
 * @throws {Error} for a name that two schemas give to different things, and for what no schema here uses yet
 */
export function avroTypes() {
  /** @type {Map<string, string>} */
  const declared = new Map();
  for (const file of readdirSync(SCHEMAS).sort()) {
    if (file.endsWith('.avsc')) typeOf(JSON.parse(readFileSync(join(SCHEMAS, file), 'utf8')), declared);
  }
  const head = '/** Made by scripts/avro-types.mjs from schemas/avro; not to be changed by hand. */\n';
  return `${head}\n${[...declared.values()].join('\n')}`;
}

/**
 * @param {Schema} schema
 * @param {Map<string, string>} declared
 * @returns {string}
 */
function typeOf(schema, declared) {
  if (Array.isArray(schema)) return schema.map((branch) => typeOf(branch, declared)).join(' | ');
  if (typeof schema === 'string') {
    const type = PRIMITIVES.get(schema) ?? (declared.has(schema) ? schema : undefined);
    if (type === undefined) throw new Error(`${schema} is no type that is made here`);
    return type;
  }
  const { type, name = '', logicalType, items, symbols = [], fields = [], doc } = schema;
  if (type === 'bytes' && logicalType === 'decimal') return 'bigint';
  if (type === 'array' && items !== undefined) {
    const item = typeOf(items, declared);
    return item.includes(' | ') ? `readonly (${item})[]` : `readonly ${item}[]`;
  }
  if (type === 'enum') {
    declare(declared, name, `export type ${name} = ${symbols.map((symbol) => `'${symbol}'`).join(' | ')};\n`);
    return name;
  }
  if (type === 'record') {
    const members = fields.map(
      (field) => `${comment(field.doc, '  ')}  readonly ${field.name}: ${typeOf(field.type, declared)};\n`,
    );
    declare(declared, name, `${comment(doc, '')}export interface ${name} {\n${members.join('')}}\n`);
    return name;
  }
  return typeOf(type, declared);
}

/**
 * @param {Map<string, string>} declared
 * @param {string} name
 * @param {string} text
 */
function declare(declared, name, text) {
  if ((declared.get(name) ?? text) !== text) throw new Error(`${name} names two different things`);
  declared.set(name, text);
}

/**
 * @param {string | undefined} doc
 * @param {string} indent
 */
function comment(doc, indent) {
  return doc === undefined ? '' : `${indent}/** ${doc} */\n`;
}

if (isMain(import.meta.url)) writeFileSync(TYPES, avroTypes());
