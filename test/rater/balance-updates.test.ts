import { describe, expect, test } from 'vitest';
import type { Effects } from '../../services/rater/core/account.ts';
import { Partition } from '../../services/rater/core/rate.ts';
import type { BalanceUpdate, ClusterFacts } from '../../services/shared/contracts/balance-update.ts';
import { parseEvent } from '../../services/shared/contracts/parse-event.ts';
import {
  UpdateAssembler,
  updateRecords,
  updateRecordText,
  watermarkRecord,
} from '../../services/shared/contracts/update-record.ts';

const START = Date.UTC(2026, 4, 4, 10);
const MINUTE_MS = 60_000;

class Updates implements Effects {
  readonly updates: BalanceUpdate[] = [];

  update(update: BalanceUpdate): void {
    this.updates.push(update);
  }

  line(): void {}
  entry(): void {}
  reservationCharge(): void {}
  invoice(): void {}
}

class Account {
  readonly partition = new Partition();
  readonly #sink = new Updates();
  #count = 0;

  constructor() {
    this.send('prices.published', 0, { effective_from: START - 1, gpu_hour: { H100: '3' }, gib_month: '0.73' }, false);
    this.send('account.opened', 0, { policy: { low_runway: ['1m'] } });
    this.send('credits.granted', 0, { grant_id: 'g1', amount: '1000', kind: 'paid' });
  }

  /** The updates that one event brought, some minutes after the start. */
  send(type: string, minute: number, data: object, subject = true): readonly BalanceUpdate[] {
    this.#count += 1;
    const envelope = {
      specversion: '1.0',
      id: `e${this.#count}`,
      source: 'test',
      type,
      time: START + minute * MINUTE_MS,
    };
    const event = parseEvent({ ...envelope, ...(subject ? { subject: 'acme' } : {}), data }, undefined);
    if ('reason' in event) throw new Error(event.detail);
    const before = this.#sink.updates.length;
    this.partition.apply(event, this.#sink);
    return this.#sink.updates.slice(before);
  }

  sample(from: number, to: number, node = 'n1', gpus = 8): readonly BalanceUpdate[] {
    const [start, end] = [START + from * MINUTE_MS, START + to * MINUTE_MS];
    return this.send('usage.gpu', to, { cluster_id: 'c1', node_id: node, gpu_type: 'H100', gpus, start, end });
  }

  get all(): readonly BalanceUpdate[] {
    return this.#sink.updates;
  }
}

function cluster(update: BalanceUpdate | undefined): ClusterFacts | undefined {
  const [facts] = update?.resources ?? [];
  return facts?.kind === 'cluster' ? facts : undefined;
}

describe('B: balance updates', () => {
  test('B1: sequences have no gap, and values are absolute', () => {
    const account = new Account();
    account.sample(0, 1);
    account.sample(0, 1, 'n2', 4);
    expect(account.all.map(({ sequence }) => sequence)).toEqual(account.all.map((_, index) => index + 1));
    expect(cluster(account.all.at(-1))?.gpuTypes).toEqual([{ gpuType: 'H100', inUse: 12, reserved: 0, uncovered: 12 }]);
    expect(account.all.at(-1)?.burnRateNanos).toBe(36_000_000_000n);
  });

  test('B2: an event that changed nothing but balance and clock is told after 60 s of clock at the earliest', () => {
    const account = new Account();
    expect(account.sample(0, 1)).toHaveLength(1);
    expect(account.sample(1, 1.5)).toHaveLength(0);
    expect(account.sample(1.5, 2 - 1 / MINUTE_MS)).toHaveLength(0);
    expect(account.sample(2 - 1 / MINUTE_MS, 2)).toHaveLength(1);
    expect(account.sample(2, 2.5)).toHaveLength(0);
  });

  test('B2: no charge, no change: nothing is told, however long it was quiet', () => {
    const account = new Account();
    const before = account.all.length;
    account.send('clock.tick', 600, {}, false);
    expect(account.all).toHaveLength(before);
  });

  test('B2: that nothing is left of a grant is told at once, what is left of it is not', () => {
    const account = new Account();
    account.send('credits.granted', 0, { grant_id: 'g0', amount: '1', kind: 'promotional' });
    account.sample(0, 1);
    expect(account.sample(1, 1.25).length).toBe(0);
    const told = account.sample(1.25, 3);
    expect(told[0]?.grants.map(({ grantId }) => grantId)).toEqual(['g1']);
  });

  test('B1, X: an update says whether it is an event’s or an instant’s', () => {
    const account = new Account();
    account.sample(0, 1);
    const [idle] = account.send('clock.tick', 600, {}, false);
    expect(idle).toMatchObject({ origin: 'instant', clock: START + 16 * MINUTE_MS, burnRateNanos: 0n });
    expect(cluster(idle)).toMatchObject({ active: false, since: START + 16 * MINUTE_MS });
  });

  test('B1: a cluster whose only node changes its GPUs stays active since when it was', () => {
    const account = new Account();
    const [first] = account.sample(0, 10);
    const [changed] = account.sample(10, 20, 'n1', 4);
    expect(cluster(first)).toMatchObject({ active: true, since: START + 10 * MINUTE_MS });
    expect(cluster(changed)).toMatchObject({ active: true, since: START + 10 * MINUTE_MS });
  });

  test('B1: updates put together from their records are what they were', () => {
    const account = new Account();
    account.sample(0, 1);
    account.send('reservation.purchased', 2, {
      ...{ reservation_id: 'r1', cluster_id: 'c1', gpu_type: 'H100', gpus: 4, payment: 'upfront' },
      ...{ starts_at: START, ends_at: START + 600 * MINUTE_MS, price_per_gpu_hour: '1' },
    });
    const assembler = new UpdateAssembler();
    const records = account.all.flatMap((update, offset) => updateRecords(update, offset).map(updateRecordText));
    const placed = records.map((record) => assembler.take(record)).filter((one) => one !== undefined);
    expect(placed).toEqual(account.all.map((update, offset) => ({ update, offset })));
    expect(assembler.begun).toBe(false);
  });

  test('B1: an update that another record cuts in two is refused by name', () => {
    const account = new Account();
    const [update] = account.sample(0, 1);
    if (update === undefined) throw new Error('no update');
    const [head = ''] = updateRecords(update, 0).map(updateRecordText);
    const assembler = new UpdateAssembler();
    expect(assembler.take(head)).toBeUndefined();
    expect(() => assembler.take(head)).toThrow(expect.objectContaining({ name: 'UpdateTorn' }));
  });

  test('B3: a watermark carries the clock and the next offset', () => {
    const account = new Account();
    account.sample(0, 1);
    const watermark = account.partition.watermark(3, 77);
    expect(watermark).toEqual({ kind: 'watermark', partition: 3, clock: START + MINUTE_MS, nextOffset: 77 });
    expect(new UpdateAssembler().take(updateRecordText(watermarkRecord(watermark)))).toEqual(watermark);
  });
});
