import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRepoFile } from '../house/repo.ts';
import { type Instance, removeFolder, startInstance, temporaryFolder } from './support/embedded.ts';
import { mergedHistories } from './support/histories.ts';

const queries = [...readRepoFile('docs/FINANCE.md').matchAll(/```sql\n([\s\S]*?)```/g)].map((found) => found[1] ?? '');
const PROOFS = 2;

let folder = '';
let instance: Instance;

beforeAll(async () => {
  folder = temporaryFolder();
  instance = await startInstance(folder, 'event', Date.now);
  await instance.post(mergedHistories(Array.from({ length: 30 }, (_, index) => 7000 + index)));
  await instance.embedded.pipeline.drained();
});

afterAll(async () => {
  await instance.stop();
  removeFolder(folder);
});

async function rowsOf(query: string): Promise<readonly unknown[]> {
  const result = await instance.embedded.stores.warehouse.query({ query, format: 'JSONEachRow' });
  return result.json();
}

test('F4: every query of the page for finance runs', async () => {
  for (const query of queries) expect(await rowsOf(query)).toBeInstanceOf(Array);
  expect(queries.length).toBeGreaterThanOrEqual(8);
});

test('L7, R6, F2: the books balance by SQL alone, and the queries that prove it would tell if they did not', async () => {
  const [ledger = '', lines = ''] = queries.slice(-PROOFS);
  expect(await rowsOf('SELECT DISTINCT account_id FROM v_ledger')).not.toHaveLength(0);
  expect(await rowsOf('SELECT * FROM v_invoice_lines LIMIT 1')).toHaveLength(1);
  expect(await rowsOf(ledger)).toEqual([]);
  expect(await rowsOf(lines)).toEqual([]);
  const { warehouse } = instance.embedded.stores;
  const nanoMore = "amount + toDecimal128('0.000000001', 9)";
  await warehouse.command({
    query: `INSERT INTO rated_lines SELECT * REPLACE (concat(line_id, '/x') AS line_id, ${nanoMore} AS amount) FROM v_rated_lines LIMIT 1`,
  });
  expect(await rowsOf(lines)).toHaveLength(1);
  expect(await rowsOf(ledger)).toHaveLength(1);
});
