import { createHash } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { type History, live } from '../../cli/demo/core/history.ts';
import { PERSONAS } from '../../cli/demo/core/personas.ts';
import { beganAtOf, historySteps, worldOf } from '../../cli/demo/core/world.ts';
import { replayLines } from '../../cli/replay.ts';
import { accept } from '../../services/ingest/core/accept.ts';
import type { Command } from '../../services/shared/contracts/command.ts';
import { DAY_MS, HOUR_MS, type Instant, parseInstant } from '../../services/shared/time.ts';

const EPOCH = parseInstant('2026-05-20T14:23:07Z') ?? 0;
const SENDER = { keyId: 'demo', role: 'operator', accounts: 'all' } as const;
const RULES = { logTime: 'event', recordCharsMax: 262_144 } as const;

function worldFrom(seed: string) {
  return worldOf(seed, beganAtOf(EPOCH), EPOCH);
}

function* lifeOf(hours: number): Iterable<Instant> {
  yield* historySteps(worldFrom('one'));
  for (let at = EPOCH + 15_000; at <= EPOCH + hours * HOUR_MS; at += 15_000) yield at;
}

function digestOf(history: History): string {
  return createHash('sha256').update(JSON.stringify(history)).digest('hex');
}

let history: History;
beforeAll(() => {
  history = live(worldFrom('one'), historySteps(worldFrom('one')));
});

test('L10: the same seed and instant give the same history, to the byte; another seed gives another', () => {
  expect(digestOf(live(worldFrom('one'), historySteps(worldFrom('one'))))).toBe(digestOf(history));
  const day = (seed: string): string => {
    const world = worldOf(seed, EPOCH - DAY_MS, EPOCH);
    return digestOf(live(world, [...historySteps(world), EPOCH + 15_000, EPOCH + 30_000]));
  };
  expect(day('two')).not.toBe(day('one'));
});

test('history is a month of a dozen accounts, in the order of time, and none of it after now', () => {
  const times = history.events.map((event) => ('time' in event ? (parseInstant(event.time) ?? -1) : -1));
  expect(times.length).toBeGreaterThan(50_000);
  expect(times.length).toBeLessThan(80_000);
  expect(EPOCH - (times[0] ?? 0)).toBeGreaterThanOrEqual(30 * 24 * HOUR_MS);
  expect(times.every((time, index) => time >= (times[index - 1] ?? 0))).toBe(true);
  expect(times[times.length - 1]).toBe(EPOCH);
  expect(PERSONAS).toHaveLength(12);
});

test('E4: the door accepts every event of history, and a replay applies every one', () => {
  const kinds = new Map<string, number>();
  for (const event of history.events) {
    const { kind } = accept(event, SENDER, RULES);
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  expect([...kinds]).toEqual([['accepted', history.events.length]]);
  const { summary, rejected, balances } = replayLines(history.events.map((event) => JSON.stringify(event)));
  expect(rejected).toEqual([]);
  expect(summary).toMatchObject({ applied: history.events.length, duplicates: 0, rejected: 0 });
  expect(balances).toHaveLength(PERSONAS.length);
}, 60_000);

test('N: a month and two hours show every level and every rung of the ladder', () => {
  const seen = new Set<string>();
  const take = (command: Command): void => {
    seen.add(command.alert ?? `${command.command} ${command.scope}`);
  };
  const { events } = live(worldFrom('one'), lifeOf(2), take);
  expect([...seen].sort()).toEqual([
    'action_reminder',
    'credits_exhausted',
    'credits_expiring',
    'credits_low',
    'credits_restored',
    'decommission burst',
    'decommission cluster',
    'enforcement_overdue',
    'pause cluster',
    'reservation_ending',
    'resource_unfunded',
    'restore volume',
    'resume cluster',
    'revoke volume',
  ]);
  const levels = new Set<unknown>();
  const lines = events.map((event) => JSON.stringify(event));
  for (const row of replayLines(lines).balances) {
    if (typeof row === 'object' && row !== null && 'level' in row) levels.add(row.level);
  }
  expect([...levels].sort()).toEqual(['active', 'exhausted', 'low']);
}, 60_000);

test('history leaves accounts at every rung: about to be paused, paused, decommissioned, revoked, shrinking next', () => {
  const account = (id: string) => history.state.accounts[PERSONAS.findIndex(({ accountId }) => accountId === id)];
  expect(account('ember-bio')).toMatchObject({ exhaustedAt: EPOCH, clusters: [{ status: 'running' }] });
  expect(account('fjord-genomics')).toMatchObject({ clusters: [{ status: 'paused' }] });
  expect(account('glacier-rentals')).toMatchObject({ clusters: [{ status: 'absent', generation: 1 }, {}] });
  expect(account('iris-archive')).toMatchObject({ volumes: [{ status: 'revoked' }] });
  expect(account('harbor-media')).toMatchObject({ clusters: [{ shrunk: false }], volumes: [{ status: 'attached' }] });
  expect(account('acme-research')).toMatchObject({ exhaustedAt: null, clusters: [{ status: 'running' }] });
});
