import { describe, expect, test } from 'vitest';
import type { Effects } from '../../services/rater/core/account.ts';
import { takeFieldWrites } from '../../services/rater/core/account-fields.ts';
import { restoreAccount } from '../../services/rater/core/account-restore.ts';
import { restorePartition, takePartitionWrites } from '../../services/rater/core/partition-fields.ts';
import { Partition } from '../../services/rater/core/rate.ts';
import { parseEvent } from '../../services/shared/contracts/parse-event.ts';
import { generateHistory } from '../histories/history.ts';

/** Everything a fold brings about, as text: two folds are the same if their journals are. */
class Journal implements Effects {
  readonly rows: string[] = [];

  line = (line: object): void => this.#note('line', line);
  entry = (entry: object): void => this.#note('entry', entry);
  update = (update: object): void => this.#note('update', update);
  reservationCharge = (charge: object): void => this.#note('charge', charge);
  invoice = (invoice: object): void => this.#note('invoice', invoice);

  #note(kind: string, value: object): void {
    this.rows.push(`${kind} ${JSON.stringify(value, (_name, one: unknown) => asJson(one))}`);
  }
}

function asJson(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  return value instanceof Map ? [...value] : value;
}

/** A store of hashes, as the state port is one. */
class Store {
  readonly partition = new Map<string, string>();
  readonly accounts = new Map<string, Map<string, string>>();

  commit(partition: Partition): void {
    apply(this.partition, takePartitionWrites(partition));
    for (const account of partition.accounts.values()) {
      const hash = this.accounts.get(account.id) ?? new Map<string, string>();
      apply(hash, takeFieldWrites(account));
      this.accounts.set(account.id, hash);
    }
  }

  /** The fields of a hash come in any order, and so do accounts: here in the opposite one. */
  load(): Partition {
    const partition = restorePartition(new Map([...this.partition].reverse()));
    for (const [id, fields] of [...this.accounts].reverse()) {
      partition.putAccount(restoreAccount(id, new Map([...fields].reverse()), partition.clock));
    }
    return partition;
  }
}

function apply(hash: Map<string, string>, writes: readonly (readonly [string, string | null])[]): void {
  for (const [field, value] of writes) {
    if (value === null) hash.delete(field);
    else hash.set(field, value);
  }
}

/** Folds lines; `restartEvery` of them the state is written, thrown away and read again. */
function fold(lines: readonly string[], restartEvery: number): readonly string[] {
  const journal = new Journal();
  const store = new Store();
  let partition = new Partition();
  let folded = 0;
  for (const line of lines) {
    const event = eventOf(line);
    if (event === undefined) continue;
    journal.rows.push(`outcome ${JSON.stringify(partition.apply(event, journal))}`);
    folded += 1;
    if (folded % restartEvery !== 0) continue;
    store.commit(partition);
    partition = store.load();
  }
  return journal.rows;
}

function eventOf(line: string): Parameters<Partition['apply']>[0] | undefined {
  try {
    const event = parseEvent(JSON.parse(line), undefined);
    return 'reason' in event ? undefined : event;
  } catch {
    return undefined;
  }
}

describe('the state of a partition in the store', () => {
  const runs = Number(process.env.TOLLGATE_RUNS ?? 200);

  test(`L10: written, dropped and read again at any point, it gives the same output (${runs} histories)`, () => {
    for (let seed = 1; seed <= runs; seed += 1) {
      const { lines } = generateHistory(seed);
      const whole = fold(lines, Number.POSITIVE_INFINITY);
      const every = [1, 2, 7, 31][seed % 4] ?? 1;
      expect(fold(lines, every), `seed ${seed}, restarted every ${every} events`).toEqual(whole);
    }
  });
});
