import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { LogError } from '../../platform/log/port.ts';
import { faultsAt } from '../../platform/memory/simulation.ts';
import { openMemoryState } from '../../platform/state/memory-state.ts';
import { enforcerMetrics } from '../../services/enforcer/metrics.ts';
import { countByOutcome, doorMetrics } from '../../services/ingest/metrics.ts';
import { Books } from '../../services/rater/books.ts';
import { type Account, openedAccount } from '../../services/rater/core/account.ts';
import { raterMetrics } from '../../services/rater/metrics.ts';
import { consumerLag } from '../../services/shared/runtime/consumer-lag.ts';
import { startOperationsServer } from '../../services/shared/runtime/operations-server.ts';
import { partitionMetrics } from '../../services/shared/runtime/partition-metrics.ts';
import type { WorkerState } from '../../services/shared/runtime/partition-workers.ts';
import { measuredState } from '../../services/shared/runtime/state-metrics.ts';

/** The samples of a scrape that begin with `prefix`. */
async function scraped(registry: Registry, prefix: string): Promise<string[]> {
  const lines = (await registry.metrics()).split('\n');
  return lines.filter((line) => line.startsWith(prefix)).sort();
}

describe('lag', () => {
  test('is what the log has and no checkpoint covers; a reader that is ahead of an old answer has none', async () => {
    const registry = new Registry();
    const ends = [100, 250, 40];
    const log = { endOffset: async (_topic: string, partition: number) => ends[partition] ?? 0 };
    const read = [90, 250, 41].map((offset, partition) => ({ partition, offset }));
    consumerLag(registry, 60_000).follow('metering.events', log, () => read);
    expect(await scraped(registry, 'tollgate_consumer_lag')).toEqual([
      'tollgate_consumer_lag_records{topic="metering.events",partition="0"} 10',
      'tollgate_consumer_lag_records{topic="metering.events",partition="1"} 0',
      'tollgate_consumer_lag_records{topic="metering.events",partition="2"} 0',
    ]);
    read.splice(0, 2);
    expect(await scraped(registry, 'tollgate_consumer_lag_records')).toHaveLength(1);
  });

  test('is not told of a partition of which the log says nothing: that is counted, and the scrape goes on', async () => {
    const registry = new Registry();
    let asked = 0;
    const log = {
      endOffset: (_topic: string, partition: number): Promise<number> => {
        if (partition === 0) return Promise.resolve(7);
        if (partition === 1) return Promise.reject(new LogError('LogUnavailable', 'no broker'));
        asked += 1;
        return new Promise(() => undefined);
      },
    };
    const read = [0, 1, 2].map((partition) => ({ partition, offset: 0 }));
    consumerLag(registry, 5).follow('metering.events', log, () => read);
    // What fails at one scrape is counted at the next.
    await registry.metrics();
    expect(await scraped(registry, 'tollgate_consumer_lag_records')).toEqual([
      'tollgate_consumer_lag_records{topic="metering.events",partition="0"} 7',
    ]);
    expect(await scraped(registry, 'tollgate_consumer_lag_failures_total{')).toEqual([
      'tollgate_consumer_lag_failures_total{topic="metering.events",code="LagTimeout"} 2',
      'tollgate_consumer_lag_failures_total{topic="metering.events",code="LogUnavailable"} 2',
    ]);
    expect(asked).toBe(1);
  });

  test('of a log that does not answer lets the operations server answer', async () => {
    const metrics = new Registry();
    const silent = { endOffset: () => new Promise<number>(() => undefined) };
    consumerLag(metrics, 5).follow('metering.events', silent, () => [{ partition: 0, offset: 0 }]);
    const server = await startOperationsServer({ host: '127.0.0.1', port: 0, metrics, notReady: () => [] });
    try {
      const answer = await fetch(`${server.url}/metrics`);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('tollgate_consumer_lag_failures_total');
    } finally {
      await server.close();
    }
  });
});

test('the state store: how long it takes, and where it fails, by operation and code', async () => {
  const registry = new Registry();
  const plan = faultsAt([
    { name: 'commit', nth: 1, kind: 'fail', when: 'after' },
    { name: 'load', nth: 1, kind: 'fail', when: 'before' },
  ]);
  const state = measuredState(openMemoryState({ faults: plan }), registry);
  const { fence } = await state.claim('rater/0');
  const step = { next: { nextOffset: 1, version: '1', meta: '' }, writes: [], timers: [] };
  await expect(state.commit('rater/0', fence, step)).rejects.toMatchObject({ code: 'StateWriteFailed' });
  await expect(state.load('rater/0', fence, ['a'])).rejects.toThrow();
  await expect(state.commit('rater/0', fence, step)).rejects.toMatchObject({ code: 'Fenced' });
  const faults = await scraped(registry, 'tollgate_state_faults_total{');
  expect(faults).toContain('tollgate_state_faults_total{operation="commit",code="StateWriteFailed"} 1');
  expect(faults).toContain('tollgate_state_faults_total{operation="commit",code="Fenced"} 1');
  expect(faults.filter((line) => line.includes('"load"'))).toHaveLength(1);
  const counts = await scraped(registry, 'tollgate_state_operation_duration_seconds_count');
  expect(counts).toContain('tollgate_state_operation_duration_seconds_count{operation="commit"} 2');
});

test('partitions: the state of each that is owned, and no other; faults by name', async () => {
  const registry = new Registry();
  const metrics = partitionMetrics(registry, 8);
  const owned: { partition: number; state: WorkerState }[] = [
    { partition: 3, state: 'running' },
    { partition: 5, state: 'stopped' },
  ];
  metrics.watch(() => owned);
  metrics.assigned();
  metrics.failed(5, new LogError('LogGap', 'offset 7'));
  const states = await scraped(registry, 'tollgate_partition_state');
  expect(states).toHaveLength(8);
  expect(states.filter((line) => line.endsWith(' 1'))).toEqual([
    'tollgate_partition_state{partition="3",state="running"} 1',
    'tollgate_partition_state{partition="5",state="stopped"} 1',
  ]);
  expect(await scraped(registry, 'tollgate_partition_faults_total{')).toEqual([
    'tollgate_partition_faults_total{partition="5",code="LogGap"} 1',
  ]);
  expect(await scraped(registry, 'tollgate_group_')).toEqual([
    'tollgate_group_partitions 8',
    'tollgate_group_rebalances_total 1',
  ]);
  owned.pop();
  expect(await scraped(registry, 'tollgate_partition_state')).toHaveLength(4);
});

test('the outbox of a partition is told of while no enforcer works on it, and not once it belongs to another', async () => {
  const registry = new Registry();
  const metrics = enforcerMetrics(registry);
  const watched = [{ partition: 2, enforcer: undefined }];
  metrics.watch(() => watched);
  metrics.outbox(2, 3);
  expect(await scraped(registry, 'tollgate_enforcer_')).toContain('tollgate_enforcer_outbox_commands{partition="2"} 3');
  watched.pop();
  expect(await scraped(registry, 'tollgate_enforcer_outbox')).toEqual([]);
});

test('what is held: by whom, how much, and since when', async () => {
  const registry = new Registry();
  const word = { by: 'op', why: 'a dispute', at: 1 };
  const enforcer = {
    progress: { events: 9, clock: 5000, committed: 4 },
    holds: () => ({ hold: word, brake: undefined, lastRelease: undefined, suspended: true }),
    heldActions: () => ({ actions: 2, oldestDueAt: 4000 }),
  };
  enforcerMetrics(registry).watch(() => [{ partition: 0, enforcer }]);
  const lines = await scraped(registry, 'tollgate_enforcer_');
  expect(lines).toEqual(
    expect.arrayContaining([
      'tollgate_enforcer_held{partition="0",by="operator"} 1',
      'tollgate_enforcer_held{partition="0",by="brake"} 0',
      'tollgate_enforcer_held{partition="0",by="stale_input"} 1',
      'tollgate_enforcer_held_actions{partition="0"} 2',
      'tollgate_enforcer_oldest_held_action_timestamp_seconds{partition="0"} 4',
      'tollgate_enforcer_watermark_timestamp_seconds{partition="0"} 5',
      'tollgate_enforcer_offset{partition="0"} 9',
    ]),
  );
});

test('the doors: outcomes by reason', async () => {
  const registry = new Registry();
  const { events } = doorMetrics(registry, () => 0);
  countByOutcome(
    events,
    new Map([
      ['accepted', 3],
      ['malformed', 1],
    ]),
  );
  expect(await scraped(registry, 'tollgate_ingest_events_total{')).toEqual([
    'tollgate_ingest_events_total{outcome="accepted",reason=""} 3',
    'tollgate_ingest_events_total{outcome="rejected",reason="malformed"} 1',
  ]);
});

/** An account with a grant of 10, of which 4 were charged. */
function account(): Account {
  const opened = openedAccount('acme', {});
  opened.totals.grantedNanos = 10n;
  opened.totals.chargedNanos = 4n;
  opened.balanceNanos = 6n;
  const grant = {
    kind: 'grant',
    id: 'g',
    dirty: false,
    grantKind: 'paid',
    expiresAt: 1,
    order: 1,
    leftNanos: 6n,
  } as const;
  opened.grants.push({ ...grant });
  return opened;
}

describe('L7: the books', () => {
  const AGREE = { totals: 0n, grants: 0n, ledger: 0n };

  test('agree where totals, grants and entries tell of the same money', () => {
    const books = new Books();
    const acme = account();
    expect(books.check([acme], 6n)).toEqual(AGREE);
    acme.totals.chargedNanos = 14n;
    acme.balanceNanos = -4n;
    acme.grants.length = 0;
    expect(books.check([acme], -10n)).toEqual(AGREE);
    expect(books.check([], 0n)).toEqual(AGREE);
  });

  test('of an account that was loaded begin at its balance', () => {
    const books = new Books();
    const acme = account();
    books.open(acme);
    expect(books.check([acme], 0n)).toEqual(AGREE);
    books.close('acme');
    expect(books.check([acme], 0n)).toEqual({ ...AGREE, ledger: 6n });
  });

  test.each<[string, (acme: Account) => void, bigint, object]>([
    ['a charge that is in no total', (acme) => (acme.totals.chargedNanos -= 1n), 6n, { ...AGREE, totals: 1n }],
    [
      'a grant that lost a nano',
      (acme) => ((acme.grants[0] as { leftNanos: bigint }).leftNanos -= 1n),
      6n,
      { ...AGREE, grants: 1n },
    ],
    [
      'a grant that is left beside a debt',
      (acme) => (acme.balanceNanos = -2n),
      -2n,
      { totals: 8n, grants: 6n, ledger: 0n },
    ],
    ['an entry that is missing', () => undefined, 0n, { ...AGREE, ledger: 6n }],
  ])('do not hide %s', (_what, spoil, entriesNanos, found) => {
    const acme = account();
    spoil(acme);
    expect(new Books().check([acme], entriesNanos)).toEqual(found);
  });

  test('that disagree are told as a sum that stays, and as a count', async () => {
    const registry = new Registry();
    const metrics = raterMetrics(registry);
    metrics.booked(4, AGREE);
    metrics.booked(4, { ...AGREE, ledger: 3n });
    metrics.booked(4, AGREE);
    expect(await scraped(registry, 'tollgate_rater_accounting_difference_nanos{')).toEqual([
      'tollgate_rater_accounting_difference_nanos{partition="4",identity="grants"} 0',
      'tollgate_rater_accounting_difference_nanos{partition="4",identity="ledger"} 3',
      'tollgate_rater_accounting_difference_nanos{partition="4",identity="totals"} 0',
    ]);
    expect(await scraped(registry, 'tollgate_rater_accounting_violations_total{identity="ledger"')).toEqual([
      'tollgate_rater_accounting_violations_total{identity="ledger"} 1',
    ]);
  });
});
