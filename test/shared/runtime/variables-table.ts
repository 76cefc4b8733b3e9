import type { z } from 'zod';
import { SERVICE_VARIABLES, type ServiceName } from '../../../services/shared/runtime/variables.ts';

export const VARIABLES_BEGIN = '<!-- variables: made by `npx tsx test/shared/runtime/variables-table.ts` -->';
export const VARIABLES_END = '<!-- end of variables -->';

/** The table of docs/OPERATIONS.md, made from the code. */
export function variablesTable(): string {
  const services = Object.keys(SERVICE_VARIABLES) as ServiceName[];
  const rows = new Map<string, { readonly shape: z.ZodType; readonly of: ServiceName[] }>();
  for (const service of services) {
    for (const [name, shape] of Object.entries(SERVICE_VARIABLES[service].shape)) {
      const row = rows.get(name) ?? { shape, of: [] };
      row.of.push(service);
      rows.set(name, row);
    }
  }
  const lines = [...rows].map(([name, { shape, of }]) => {
    const who = of.length === services.length ? 'all' : of.join(', ');
    return `| \`${name}\` | ${defaultOf(shape)} | ${who} | ${shape.description ?? ''} |`;
  });
  return ['| variable | default | of | what it is for |', '|---|---|---|---|', ...lines].join('\n');
}

/** As one would write it. */
function defaultOf(shape: z.ZodType): string {
  const without = shape.safeParse(undefined);
  if (!without.success) return 'must be given';
  const value: unknown = without.data;
  if (value === undefined || value === '') return '';
  if (value === false) return '`off`';
  if (Array.isArray(value)) return `\`${value.map(({ host, port }) => `${host}:${port}`).join(',')}\``;
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

if (process.argv[1]?.endsWith('variables-table.ts') === true) process.stdout.write(`${variablesTable()}\n`);
