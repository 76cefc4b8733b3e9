import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  commandIdOf,
  type Draft,
  episodeCause,
  grantCause,
  reservationCause,
  unfundedCause,
  updateCause,
} from '../../services/enforcer/core/commands.ts';
import type { Command } from '../../services/shared/contracts/command.ts';
import { commandLine, keyOf, topicOf } from '../../services/shared/contracts/command-line.ts';
import { T0 } from './support/world.ts';

const SEED = 8_128;

const COMMAND: Command = {
  commandId: 'acme/e1/cluster/c1/decommission/burst/1',
  command: 'decommission',
  alert: undefined,
  accountId: 'acme',
  resource: { kind: 'cluster', id: 'c1' },
  scope: 'burst',
  gpus: 4,
  keep: new Map([
    ['H100', 8],
    ['__proto__', 2],
    ['10', 1],
  ]),
  reason: 'credits_exhausted',
  noticeId: 'acme/e1/account/acme/alert/credits_exhausted/1',
  episode: 1,
  sequence: 7,
  attempt: 1,
  issuedAt: T0,
  balanceNanos: -14_000_000_001n,
  audience: 'customer',
  detail: undefined,
};

const ALERT: Command = {
  ...COMMAND,
  commandId: 'acme/e1/account/acme/alert/credits_restored/1',
  command: 'alert',
  alert: 'credits_restored',
  resource: { kind: 'account', id: 'acme' },
  scope: undefined,
  gpus: undefined,
  keep: undefined,
  reason: 'credits_restored',
  noticeId: undefined,
};

describe('K: a command as a line', () => {
  test('K: the members in their order, money with 9 places, hostile names of gpu_types as they are', () => {
    expect(commandLine(COMMAND)).toBe(
      '{"command_id":"acme/e1/cluster/c1/decommission/burst/1","command":"decommission","account_id":"acme",' +
        '"resource":{"kind":"cluster","id":"c1"},"scope":"burst","gpus":4,"keep":{"H100":8,"__proto__":2,"10":1},' +
        '"reason":"credits_exhausted","notice_id":"acme/e1/account/acme/alert/credits_exhausted/1","episode":1,' +
        '"sequence":7,"attempt":1,"issued_at":"2026-05-04T00:00:00.000Z","balance":"-14.000000001","audience":"customer"}',
    );
  });

  test('K: what an alert tells, and nothing that does not apply', () => {
    const detail = {
      actions: [
        {
          resource: { kind: 'cluster', id: 'c1' },
          command: 'pause',
          scope: 'cluster',
          gpus: undefined,
          at: T0 + 1,
        },
        { resource: { kind: 'cluster', id: 'c2' }, command: 'decommission', scope: 'burst', gpus: 3, at: T0 },
      ],
      paused: ['c"1'],
      resumesAtNanos: 24_000_000_000n,
      thresholdMs: 14_400_000,
      burnRateNanos: 0n,
      endsAt: T0,
      follows: 'burst',
      burstGpus: 3,
      burstCostNanos: 9_000_000_000n,
      expiresAt: T0,
      overdueCommand: 'pause',
      overdueAttempt: 1,
      why: 'brake',
    } as const;
    const line = commandLine({ ...ALERT, detail });
    expect(line).toBe(
      '{"command_id":"acme/e1/account/acme/alert/credits_restored/1","command":"alert","alert":"credits_restored",' +
        '"account_id":"acme","resource":{"kind":"account","id":"acme"},"reason":"credits_restored","episode":1,' +
        '"sequence":7,"attempt":1,"issued_at":"2026-05-04T00:00:00.000Z","balance":"-14.000000001","audience":"customer",' +
        '"detail":{"actions":[{"resource":{"kind":"cluster","id":"c1"},"command":"pause","scope":"cluster",' +
        '"at":"2026-05-04T00:00:00.001Z"},{"resource":{"kind":"cluster","id":"c2"},"command":"decommission",' +
        '"scope":"burst","gpus":3,"at":"2026-05-04T00:00:00.000Z"}],"paused":["c\\"1"],"resumes_at":"24.000000000",' +
        '"threshold_ms":14400000,"burn_rate":"0.000000000","ends_at":"2026-05-04T00:00:00.000Z","follows":"burst",' +
        '"burst_gpus":3,"burst_cost":"9.000000000","expires_at":"2026-05-04T00:00:00.000Z","overdue_command":"pause",' +
        '"overdue_attempt":1,"why":"brake"}}',
    );
    expect(JSON.parse(line)).toMatchObject({ detail: { paused: ['c"1'] } });
  });

  test('K: alerts, compute and storage go their ways, keyed by account, kind and id', () => {
    expect(topicOf(COMMAND)).toBe('control.compute');
    expect(topicOf(ALERT)).toBe('control.alerts');
    const revoke: Command = { ...COMMAND, command: 'revoke', resource: { kind: 'volume', id: 'v1' } };
    expect(topicOf(revoke)).toBe('control.storage');
    expect(keyOf(revoke)).toBe('acme/volume/v1');
    expect(() => topicOf({ ...COMMAND, resource: { kind: 'grant', id: 'g' } })).toThrow('K:');
  });
});

test(`N8: no two commands that are about something else have the same id (seed ${SEED})`, () => {
  const id = fc.stringMatching(/^[A-Za-z0-9._:-]{1,4}$/);
  const nat = fc.nat({ max: 12 });
  const cause = fc.oneof(
    nat.map(episodeCause),
    fc.tuple(nat, nat).map(([episode, n]) => unfundedCause(episode, n)),
    fc.tuple(nat, id).map(([revision, reservationId]) => reservationCause({ revision, reservationId })),
    id.map(grantCause),
    nat.map(updateCause),
  );
  const draft: fc.Arbitrary<Draft> = fc
    .record({
      cause,
      command: fc.constantFrom('alert', 'pause', 'decommission', 'resume'),
      kind: fc.constantFrom('cluster', 'account', 'volume'),
      id,
      alert: fc.constantFrom('credits_low', 'action_reminder'),
      scope: fc.constantFrom('cluster', 'burst'),
      attempt: fc.integer({ min: 1, max: 12 }),
      which: fc.constantFrom('revoke.3600000', 'decommission.86400000', '1', '2'),
    })
    .map(({ kind, id: of, alert, scope, attempt, which, ...rest }) => {
      const common = { ...rest, resource: { kind, id: of } as const, reason: 'credits_exhausted' as const };
      return rest.command === 'alert' ? { ...common, alert, which } : { ...common, scope, attempt };
    });
  fc.assert(
    fc.property(id, draft, id, draft, (accountA, a, accountB, b) => {
      const same = JSON.stringify([accountA, a]) === JSON.stringify([accountB, b]);
      expect(commandIdOf(accountA, a) === commandIdOf(accountB, b)).toBe(same);
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

test('N8: causes keep their parts apart', () => {
  expect(reservationCause({ revision: 1, reservationId: '2:x' })).not.toBe(
    reservationCause({ revision: 12, reservationId: ':x' }),
  );
  expect(episodeCause(12)).not.toBe(unfundedCause(1, 2));
  expect(new Set([episodeCause(1), unfundedCause(1, 1), grantCause('1'), updateCause(1)]).size).toBe(4);
});
