import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Output, Row } from './facts.ts';

/** Reads what replay wrote to a folder. Throws where a file is missing or a line is not a JSON object. */
export function readOutput(folder: string): Output {
  const read = (name: string) =>
    readFileSync(join(folder, `${name}.ndjson`), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map(parseRow);
  return {
    rated: read('rated'),
    ledger: read('ledger'),
    balances: read('balances'),
    commands: read('commands'),
    rejected: read('rejected'),
    invoices: read('invoices'),
    summary: parseRow(readFileSync(join(folder, 'summary.json'), 'utf8')),
  };
}

function parseRow(line: string): Row {
  const value: unknown = JSON.parse(line);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`not an object: ${line}`);
  return value as Row;
}
