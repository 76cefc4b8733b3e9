import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { newAccount } from '../../services/enforcer/core/codec.ts';
import {
  CLUSTER_LADDER,
  type ClusterStatus,
  clusterStatus,
  type Occasion,
  type Outcome,
  VOLUME_LADDER,
  type VolumeStatus,
  volumeStatus,
} from '../../services/enforcer/core/ladder.ts';
import { meet } from '../../services/enforcer/core/meet.ts';
import { RULES } from '../../services/enforcer/core/rules.ts';
import type {
  ClusterState,
  Order,
  Plan,
  ReservationState,
  ResourceState,
  Step,
  VolumeState,
} from '../../services/enforcer/core/state.ts';
import { OPEN_GATE } from '../../services/enforcer/core/supervision.ts';
import type { Turn } from '../../services/enforcer/core/turn.ts';
import type { ClusterFacts, VolumeFacts } from '../../services/shared/contracts/balance-update.ts';
import type { Command } from '../../services/shared/contracts/command.ts';
import { HOUR_MS } from '../../services/shared/time.ts';
import { T0 } from './support/world.ts';

const CLUSTER_FACTS: ClusterFacts = {
  kind: 'cluster',
  id: 'c1',
  gpuTypes: [{ gpuType: 'H100', inUse: 12, reserved: 8, uncovered: 4 }],
  burnRateNanos: 12n,
  active: true,
  since: T0,
  provisioned: true,
  decommissionedAt: undefined,
};
const VOLUME_FACTS: VolumeFacts = {
  kind: 'volume',
  id: 'v1',
  sizeGib: 1,
  burnRateNanos: 1n,
  active: true,
  since: T0,
  decommissionedAt: undefined,
};
const RESERVATION: ReservationState = {
  facts: {
    reservationId: 'r1',
    clusterId: 'c1',
    gpuType: 'H100',
    gpus: 8,
    startsAt: T0,
    endsAt: T0 + 100 * HOUR_MS,
    charged: true,
    endSetBy: 'term',
    revision: 1,
  },
  notices: { times: [], sent: 1 },
  notice: { id: 'the-notice', at: T0, names: true },
  end: 'coming',
  listed: true,
};

/** Where each status of a cluster goes on each occasion. */
const CLUSTER_NEXT: Readonly<Record<ClusterStatus, Readonly<Record<Occasion, ClusterStatus>>>> = {
  clear: stays('clear', { unfunded: 'pause_coming', reservation_ended: 'end_ordered' }),
  burst_coming: stays('burst_coming', {
    due_fit: 'burst_ordered',
    due_unfit: 'clear',
    restored: 'clear',
    reservation_ended: 'end_ordered',
    confirmed: 'clear',
  }),
  burst_ordered: stays('burst_ordered', {
    restored: 'clear',
    unreserved: 'clear',
    reservation_ended: 'end_ordered',
    confirmed: 'clear',
  }),
  pause_coming: stays('pause_coming', {
    due_fit: 'paused',
    due_idle: 'pause_waiting',
    due_unfit: 'clear',
    restored: 'clear',
    reservation_ended: 'end_ordered',
    confirmed: 'clear',
  }),
  pause_waiting: stays('pause_waiting', {
    due_fit: 'paused',
    due_unfit: 'clear',
    due_held: 'pause_coming',
    wait_over: 'clear',
    restored: 'clear',
    reservation_ended: 'end_ordered',
    confirmed: 'clear',
  }),
  paused: stays('paused', {
    due_fit: 'removal_ordered',
    restored: 'stays_paused',
    reserved: 'clear',
    reservation_ended: 'end_ordered',
    confirmed: 'clear',
  }),
  stays_paused: stays('stays_paused', {
    unfunded: 'removal_coming',
    covered: 'clear',
    reserved: 'clear',
    reservation_ended: 'end_ordered',
    confirmed: 'clear',
  }),
  removal_coming: stays('removal_coming', {
    due_fit: 'removal_ordered',
    due_unfit: 'stays_paused',
    restored: 'stays_paused',
    reserved: 'clear',
    reservation_ended: 'end_ordered',
    confirmed: 'clear',
  }),
  removal_ordered: stays('removal_ordered', {
    restored: 'stays_paused',
    reserved: 'clear',
    reservation_ended: 'end_ordered',
    confirmed: 'clear',
  }),
  end_ordered: stays('end_ordered', { reserved: 'clear', confirmed: 'clear' }),
};

/** Where each status of a volume goes on each occasion. */
const VOLUME_NEXT: Readonly<Record<VolumeStatus, Readonly<Record<Occasion, VolumeStatus>>>> = {
  clear: stays('clear', { unfunded: 'revoke_coming' }),
  revoke_coming: stays('revoke_coming', {
    due_fit: 'revoked',
    due_idle: 'revoke_waiting',
    due_unfit: 'clear',
    restored: 'clear',
    confirmed: 'clear',
  }),
  revoke_waiting: stays('revoke_waiting', {
    due_fit: 'revoked',
    due_unfit: 'clear',
    due_held: 'revoke_coming',
    wait_over: 'clear',
    restored: 'clear',
    confirmed: 'clear',
  }),
  revoked: stays('revoked', { due_fit: 'removal_ordered', restored: 'clear', confirmed: 'clear' }),
  removal_ordered: stays('removal_ordered', { restored: 'clear', confirmed: 'clear' }),
};

/** What an outcome sends, by the kind of alert or the command. */
const SENDS: Readonly<Record<Outcome, readonly string[]>> = {
  keep: [],
  announce: [],
  carry_out: ['command'],
  wait: [],
  hold: [],
  drop: [],
  remind: ['action_reminder'],
  repeat: ['enforcement_overdue', 'command'],
  cancel: [],
  count_paused: [],
  restore: ['restore'],
  resume: ['resume'],
  end_order: [],
  order_end: ['decommission'],
  forget: [],
};

describe('N3-N7: the ladder of a cluster, cell by cell', () => {
  for (const [status, occasions] of Object.entries(CLUSTER_LADDER)) {
    for (const [occasion, outcome] of Object.entries(occasions)) {
      test(`${status}, ${occasion}: ${outcome}`, () => {
        const cluster = clusterIn(status as ClusterStatus);
        expect(clusterStatus(cluster)).toBe(status);
        const sent = happen(cluster, occasion as Occasion);
        expect(clusterStatus(cluster)).toBe(CLUSTER_NEXT[status as ClusterStatus][occasion as Occasion]);
        expect(sent).toEqual(SENDS[outcome]);
      });
    }
  }
});

describe('N3-N7: the ladder of a volume, cell by cell', () => {
  for (const [status, occasions] of Object.entries(VOLUME_LADDER)) {
    for (const [occasion, outcome] of Object.entries(occasions)) {
      test(`${status}, ${occasion}: ${outcome}`, () => {
        const volume = volumeIn(status as VolumeStatus);
        expect(volumeStatus(volume)).toBe(status);
        const sent = happen(volume, occasion as Occasion);
        expect(volumeStatus(volume)).toBe(VOLUME_NEXT[status as VolumeStatus][occasion as Occasion]);
        expect(sent).toEqual(SENDS[outcome]);
      });
    }
  }
});

test('docs/ENFORCEMENT.md shows the two ladders as they are', () => {
  const page = readFileSync(new URL('../../docs/ENFORCEMENT.md', import.meta.url), 'utf8');
  const rows = new Map<string, readonly string[]>();
  let headings: readonly string[] = [];
  for (const line of page.split('\n')) {
    if (!line.startsWith('|')) continue;
    const cells = line.split('|').slice(1, -1);
    const [name = '', ...values] = cells.map((cell) => cell.trim().replaceAll('`', ''));
    if (name === 'on') headings = values;
    for (const [index, heading] of headings.entries()) {
      if (values.length === headings.length) rows.set(`${heading}/${name}`, [values[index] ?? '']);
    }
  }
  const kinds = { cluster: CLUSTER_LADDER, volume: VOLUME_LADDER };
  for (const [kind, ladder] of Object.entries(kinds)) {
    for (const [status, occasions] of Object.entries(ladder)) {
      for (const [occasion, outcome] of Object.entries(occasions)) {
        const shown = rows.get(`${kind} ${status}/${occasion}`)?.[0];
        expect(shown, `${kind} ${status}, ${occasion}`).toBe(outcome === 'keep' ? '' : outcome);
      }
    }
  }
});

/** Has a resource meet an occasion, with all that an outcome may need; what was sent. */
function happen(resource: ResourceState, occasion: Occasion): readonly string[] {
  const account = newAccount('acme');
  account.episodes = 1;
  if (resource.kind === 'cluster') account.clusters.set(resource.id, resource);
  else account.volumes.set(resource.id, resource);
  const sent: Command[] = [];
  const turn: Turn = {
    account,
    at: T0 + HOUR_MS,
    rules: RULES,
    gate: OPEN_GATE,
    reservationsOf: () => [RESERVATION],
    reindex: () => undefined,
    send: (command) => sent.push(command),
    record: () => undefined,
  };
  const stopped = resource.kind === 'cluster' && resource.paused !== undefined;
  const first = resource.kind === 'volume' ? step('revoke', 'volume') : stopped ? REMOVAL : PAUSE;
  const reservation = occasion === 'reserved' || occasion === 'reservation_ended' ? { reservation: RESERVATION } : {};
  meet(turn, resource, { occasion, plan: plan([first]), why: 'not_stopped', episode: 1, ...reservation });
  return sent.map(({ command, alert, attempt, reason }) => {
    if (alert !== undefined) return alert;
    const named = command === 'resume' || command === 'restore' || reason === 'reservation_ended';
    return named && attempt === 1 ? command : 'command';
  });
}

function clusterIn(status: ClusterStatus): ClusterState {
  const cluster: ClusterState = {
    kind: 'cluster',
    id: 'c1',
    facts: CLUSTER_FACTS,
    plan: undefined,
    order: undefined,
    paused: undefined,
  };
  const paused = { burnedNanos: 12n, sent: order('pause', 'cluster').sent };
  switch (status) {
    case 'clear':
      return cluster;
    case 'burst_coming':
      return { ...cluster, plan: plan([step('decommission', 'burst')]) };
    case 'burst_ordered':
      return { ...cluster, order: order('decommission', 'burst') };
    case 'pause_coming':
      return { ...cluster, plan: plan([PAUSE, REMOVAL]) };
    case 'pause_waiting':
      return { ...cluster, plan: { ...plan([PAUSE, REMOVAL]), pending: 'waiting' } };
    case 'paused':
      return { ...cluster, order: order('pause', 'cluster'), paused, plan: plan([REMOVAL]) };
    case 'stays_paused':
      return { ...cluster, paused };
    case 'removal_coming':
      return { ...cluster, paused, plan: plan([REMOVAL]) };
    case 'removal_ordered':
      return { ...cluster, paused, order: order('decommission', 'cluster') };
    case 'end_ordered':
      return { ...cluster, order: order('decommission', 'cluster', 'reservation_ended') };
  }
}

function volumeIn(status: VolumeStatus): VolumeState {
  const volume: VolumeState = { kind: 'volume', id: 'v1', facts: VOLUME_FACTS, plan: undefined, order: undefined };
  const [revoke, removal] = [step('revoke', 'volume'), step('decommission', 'volume')];
  switch (status) {
    case 'clear':
      return volume;
    case 'revoke_coming':
      return { ...volume, plan: plan([revoke, removal]) };
    case 'revoke_waiting':
      return { ...volume, plan: { ...plan([revoke, removal]), pending: 'waiting' } };
    case 'revoked':
      return { ...volume, order: order('revoke', 'volume'), plan: plan([removal]) };
    case 'removal_ordered':
      return { ...volume, order: order('decommission', 'volume') };
  }
}

function plan(steps: Plan['steps']): Plan {
  return { cause: 'e1', episode: 1, noticeId: 'the-notice', noticeAt: T0, steps, pending: 'coming' };
}

function order(
  command: 'pause' | 'revoke' | 'decommission',
  scope: Step['scope'],
  reason: Command['reason'] = 'credits_exhausted',
): Order {
  const sent: Command = {
    commandId: `${command}-1`,
    command,
    alert: undefined,
    accountId: 'acme',
    resource: { kind: scope === 'volume' ? 'volume' : 'cluster', id: scope === 'volume' ? 'v1' : 'c1' },
    scope,
    gpus: undefined,
    keep: undefined,
    reason,
    noticeId: 'the-notice',
    episode: 1,
    sequence: 1,
    attempt: 1,
    issuedAt: T0,
    balanceNanos: -1n,
    audience: 'customer',
    detail: undefined,
  };
  return { cause: 'e1', sent, overdueAt: T0 + HOUR_MS / 2, lookedUntil: T0 + 1 };
}

function step(command: Step['command'], scope: Step['scope']): Step {
  return { command, scope, at: T0 + HOUR_MS, noticeMs: HOUR_MS, gpus: undefined, remindersMs: [HOUR_MS] };
}

const PAUSE = step('pause', 'cluster');
const REMOVAL = step('decommission', 'cluster');

/** The complete row of a status that stays as it is but for some occasions. */
function stays<Status extends string>(
  status: Status,
  but: { readonly [occasion in Occasion]?: Status },
): Readonly<Record<Occasion, Status>> {
  return {
    unfunded: status,
    due_fit: status,
    due_idle: status,
    due_unfit: status,
    due_held: status,
    wait_over: status,
    reminder: status,
    overdue: status,
    restored: status,
    covered: status,
    reserved: status,
    unreserved: status,
    reservation_ended: status,
    confirmed: status,
    ...but,
  };
}
