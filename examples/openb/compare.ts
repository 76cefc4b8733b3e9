import type { KeySum, Labels } from './expected.ts';
import type { ReplayedSum } from './replayed.ts';

export interface Comparison {
  /** How many quantities and how many costs were compared. */
  readonly quantities: number;
  readonly costs: number;
  readonly costAccounts: readonly string[];
  readonly differences: readonly string[];
}

/**
 * Compares what was billed with what the pod list says. Quantities: for every account, all categories together, since
 * a reservation changes the label and the price but not what was used. Costs, list costs and unit prices: to the nano,
 * for the accounts that were never billed `reserved` or `burst`.
 */
export function compare(expected: readonly KeySum[], replayed: readonly ReplayedSum[]): Comparison {
  const accounts = new Set([...expected, ...replayed].map(({ accountId }) => accountId));
  for (const { accountId, category } of replayed) {
    if (category === 'reserved' || category === 'burst') accounts.delete(accountId);
  }
  const onDemandOnly = ({ accountId }: KeySum): boolean => accounts.has(accountId);

  const quantities = pair(expected, replayed, usedKey, ({ quantityMs }) => [quantityMs]);
  const costs = pair(
    expected.filter(onDemandOnly),
    replayed.filter(onDemandOnly),
    (sum) => `${usedKey(sum)} unit ${sum.unitMicros}`,
    ({ quantityMs, amountNanos, listNanos }) => [quantityMs, amountNanos, listNanos],
  );
  return {
    quantities: quantities.compared,
    costs: costs.compared,
    costAccounts: [...accounts].sort(),
    differences: [...quantities.differences, ...costs.differences],
  };
}

/** Compares the GPU-ms of each cluster and category with what they must be; says what differs. */
export function compareLabels(expected: readonly Labels[], replayed: readonly ReplayedSum[]): string[] {
  const have = new Map<string, bigint>();
  for (const { resourceId, category, quantityMs } of replayed) {
    const key = `${resourceId} ${category}`;
    if (category !== 'storage') have.set(key, (have.get(key) ?? 0n) + quantityMs);
  }
  const differences: string[] = [];
  for (const { resourceId, reserved, burst, onDemand } of expected) {
    for (const [category, wanted] of [
      ['reserved', reserved],
      ['burst', burst],
      ['on_demand', onDemand],
    ] as const) {
      const key = `${resourceId} ${category}`;
      const had = have.get(key) ?? 0n;
      have.delete(key);
      if (had !== wanted) differences.push(`${key}: expected ${wanted} GPU-ms, replayed ${had}`);
    }
  }
  for (const [key, had] of have) differences.push(`${key}: expected nothing, replayed ${had} GPU-ms`);
  return differences;
}

function usedKey({ accountId, resourceId, sku, listMicros, invoiceMonth, correction }: KeySum): string {
  return `${accountId} ${resourceId} ${sku} list ${listMicros} ${invoiceMonth}${correction ? ' correction' : ''}`;
}

function pair<T extends KeySum>(
  expected: readonly KeySum[],
  replayed: readonly T[],
  keyOf: (sum: KeySum) => string,
  valuesOf: (sum: KeySum) => readonly bigint[],
): { compared: number; differences: string[] } {
  const want = total(expected, keyOf, valuesOf);
  const have = total(replayed, keyOf, valuesOf);
  const keys = [...new Set([...want.keys(), ...have.keys()])].sort();
  const differences = keys.flatMap((key) => {
    const [wanted, had] = [want.get(key)?.join(' '), have.get(key)?.join(' ')];
    return wanted === had ? [] : [`${key}: expected ${wanted ?? 'nothing'}, replayed ${had ?? 'nothing'}`];
  });
  return { compared: keys.length, differences };
}

function total(
  sums: readonly KeySum[],
  keyOf: (sum: KeySum) => string,
  valuesOf: (sum: KeySum) => readonly bigint[],
): Map<string, bigint[]> {
  const totals = new Map<string, bigint[]>();
  for (const sum of sums) {
    const sofar = totals.get(keyOf(sum));
    const values = valuesOf(sum);
    totals.set(keyOf(sum), sofar === undefined ? [...values] : sofar.map((value, i) => value + (values[i] ?? 0n)));
  }
  return totals;
}
