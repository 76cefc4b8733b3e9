import { expect, test } from 'vitest';
import { Enforcement } from '../../services/enforcer/core/enforcement.ts';
import { Partition } from '../../services/rater/core/rate.ts';
import type { Command } from '../../services/shared/contracts/command.ts';
import { parseEvent } from '../../services/shared/contracts/parse-event.ts';
import { MINUTE_MS, parseInstant } from '../../services/shared/time.ts';

const T0 = parseInstant('2026-05-04T10:00:00Z') ?? 0;
const NOTICE_MS = 5 * MINUTE_MS;

/** An account that was exhausted at T0 with its pause 5 m later, as an enforcer without a wall clock has left it. */
function exhausted() {
  const partition = new Partition();
  const enforcement = new Enforcement(0);
  const commands: Command[] = [];
  const effects = {
    line: () => undefined,
    entry: () => undefined,
    update: (update: Parameters<Enforcement['apply']>[0]) =>
      enforcement.apply(update, (command) => commands.push(command)),
    reservationCharge: () => undefined,
    invoice: () => undefined,
  };
  const send = (id: string, type: string, data: object, subject?: string): void => {
    const value = { specversion: '1.0', id, source: 't', type, data, ...(subject === undefined ? {} : { subject }) };
    const event = parseEvent(value, T0);
    if ('reason' in event) throw new Error(event.detail);
    expect(partition.apply(event, effects).kind).toBe('applied');
  };
  send('p', 'prices.published', { effective_from: T0 - 60 * MINUTE_MS, gpu_hour: { H100: '2' } });
  send('o', 'account.opened', { policy: { pause_after: '5m' } }, 'acme');
  const usage = { cluster_id: 'c', node_id: 'n', gpu_type: 'H100', gpus: 8, start: T0 - 10 * MINUTE_MS, end: T0 };
  send('u', 'usage.gpu', usage, 'acme');
  expect(commands.map(({ alert }) => alert)).toEqual(['credits_exhausted']);
  return { account: enforcement.encodeAccount('acme'), partition: enforcement.encodePartition() };
}

function restarted(stored: ReturnType<typeof exhausted>) {
  const enforcement = new Enforcement(0, { live: true });
  enforcement.putPartition(stored.partition);
  enforcement.putAccount(stored.account);
  const commands: Command[] = [];
  const pass = (wallAt: number): void => {
    enforcement.apply({ kind: 'watermark', partition: 0, clock: wallAt, nextOffset: 0 }, (command) =>
      commands.push(command),
    );
    enforcement.observeWallClock(wallAt, (command) => commands.push(command));
  };
  return { enforcement, commands, pass };
}

test('N9: a notice whose publication nobody witnessed counts from the start, so that its action is late but comes', () => {
  const startedAt = T0 + 2 * MINUTE_MS;
  const { enforcement, commands, pass } = restarted(exhausted());
  enforcement.noteUnwitnessed(startedAt);
  pass(startedAt);
  pass(startedAt + NOTICE_MS - 1);
  expect(commands).toEqual([]);
  pass(startedAt + NOTICE_MS);
  expect(commands.map(({ command }) => command)).toEqual(['pause']);
});

test('N9: a notice that was not published is no ground for anything', () => {
  const { commands, pass } = restarted(exhausted());
  for (let minutes = 1; minutes < 14; minutes += 1) pass(T0 + minutes * MINUTE_MS);
  expect(commands).toEqual([]);
});

test('N9: word of a publication that was kept is not moved by a start', () => {
  const first = restarted(exhausted());
  first.enforcement.noteUnwitnessed(T0);
  const stored = { account: first.enforcement.encodeAccount('acme'), partition: first.enforcement.encodePartition() };
  const second = restarted(stored);
  second.enforcement.noteUnwitnessed(T0 + 4 * MINUTE_MS);
  second.pass(T0 + 4 * MINUTE_MS);
  expect(second.commands).toEqual([]);
  second.pass(T0 + NOTICE_MS);
  expect(second.commands.map(({ command }) => command)).toEqual(['pause']);
});
