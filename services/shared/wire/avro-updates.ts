import type { UpdateRecord } from '../contracts/update-record.ts';
import { formatAmount, readAmount } from '../money.ts';
import type * as Avro from './avro-types.ts';

type AccountRecord = Extract<UpdateRecord, { kind: 'account' }>;
type ResourceRecord = Extract<UpdateRecord, { kind: 'resource' }>;

/** A record of `balance.updates` for its JSON text (contracts/update-record.ts). @throws Error if it is no such text */
export function updateRecord(text: string): Avro.BalanceUpdate {
  const record = typedUpdate(JSON.parse(text));
  if (updateText(record) !== text) throw new Error(`no record of balance.updates: ${text}`);
  return record;
}

/** The JSON text of a record, as `updateRecord` took it. @throws Error if it is not as that function makes them */
export function updateText({ account, resource, watermark }: Avro.BalanceUpdate): string {
  if (account !== null) return JSON.stringify(accountOf(account));
  if (resource !== null) return JSON.stringify(resourceOf(resource));
  if (watermark === null) throw new Error('an update without content: of a kind that this release does not know');
  return JSON.stringify({ kind: 'watermark', ...watermark } satisfies UpdateRecord);
}

/** A record of `balance.updates` as Avro has it. */
export function typedUpdate(record: UpdateRecord): Avro.BalanceUpdate {
  const nothing = { account: null, resource: null, watermark: null };
  switch (record.kind) {
    case 'account':
      return { ...nothing, account: accountStanding(record) };
    case 'resource':
      return { ...nothing, resource: resourceStanding(record) };
    case 'watermark':
      return { ...nothing, watermark: record };
  }
}

function accountStanding(record: AccountRecord): Avro.AccountStanding {
  const { policy } = record;
  return {
    ...record,
    balance: readAmount(record.balance),
    burn_rate: readAmount(record.burn_rate),
    policy: {
      low_runway_ms: policy.lowRunwayMs,
      realert_after_ms: policy.realertAfterMs,
      burst_decommission_after_ms: policy.burstDecommissionAfterMs,
      pause_after_ms: policy.pauseAfterMs,
      decommission_paused_after_ms: policy.decommissionPausedAfterMs,
      revoke_after_ms: policy.revokeAfterMs,
      decommission_revoked_after_ms: policy.decommissionRevokedAfterMs,
      reservation_end_notices_ms: policy.reservationEndNoticesMs,
      credit_expiry_notices_ms: policy.creditExpiryNoticesMs,
      resume_runway_ms: policy.resumeRunwayMs,
      activity_window_ms: policy.activityWindowMs,
      overdue_after_ms: policy.overdueAfterMs,
      stale_after_ms: policy.staleAfterMs,
    },
    grants: record.grants.map(({ grantId, expiresAt }) => ({ grant_id: grantId, expires_at: expiresAt ?? null })),
    reservations: record.reservations.map((reservation) => ({
      reservation_id: reservation.reservationId,
      cluster_id: reservation.clusterId,
      gpu_type: reservation.gpuType,
      gpus: reservation.gpus,
      starts_at: reservation.startsAt,
      ends_at: reservation.endsAt,
      charged: reservation.charged,
      end_set_by: reservation.endSetBy,
      revision: reservation.revision,
    })),
    on_demand_prices: record.on_demand_prices.map(([gpuType, price]) => ({
      gpu_type: gpuType,
      price: readAmount(price),
    })),
  };
}

/** What a reader of the JSON text finds; the members of closed sets come out as they were written. */
function accountOf(account: Avro.AccountStanding): Loosened<AccountRecord> {
  const { policy } = account;
  return {
    kind: 'account',
    account_id: account.account_id,
    sequence: account.sequence,
    resources: account.resources,
    offset: account.offset,
    clock: account.clock,
    origin: account.origin,
    balance: formatAmount(account.balance),
    burn_rate: formatAmount(account.burn_rate),
    level: account.level,
    passed_ms: account.passed_ms,
    policy: {
      lowRunwayMs: policy.low_runway_ms,
      realertAfterMs: policy.realert_after_ms,
      burstDecommissionAfterMs: policy.burst_decommission_after_ms,
      pauseAfterMs: policy.pause_after_ms,
      decommissionPausedAfterMs: policy.decommission_paused_after_ms,
      revokeAfterMs: policy.revoke_after_ms,
      decommissionRevokedAfterMs: policy.decommission_revoked_after_ms,
      reservationEndNoticesMs: policy.reservation_end_notices_ms,
      creditExpiryNoticesMs: policy.credit_expiry_notices_ms,
      resumeRunwayMs: policy.resume_runway_ms,
      activityWindowMs: policy.activity_window_ms,
      overdueAfterMs: policy.overdue_after_ms,
      staleAfterMs: policy.stale_after_ms,
    },
    grants: account.grants.map(({ grant_id: grantId, expires_at: expiresAt }) =>
      expiresAt === null ? { grantId } : { grantId, expiresAt },
    ),
    reservations: account.reservations.map((reservation) => ({
      reservationId: reservation.reservation_id,
      clusterId: reservation.cluster_id,
      gpuType: reservation.gpu_type,
      gpus: reservation.gpus,
      startsAt: reservation.starts_at,
      endsAt: reservation.ends_at,
      charged: reservation.charged,
      endSetBy: reservation.end_set_by,
      revision: reservation.revision,
    })),
    on_demand_prices: account.on_demand_prices.map(({ gpu_type: gpuType, price }) => [gpuType, formatAmount(price)]),
  };
}

function resourceStanding({ account_id, sequence, burn_rate, facts }: ResourceRecord): Avro.ResourceStanding {
  const standing = { account_id, sequence, burn_rate: readAmount(burn_rate), cluster: null, volume: null };
  const { id, active, since } = facts;
  const decommissioned_at = facts.decommissionedAt ?? null;
  if (facts.kind === 'volume') {
    return { ...standing, volume: { id, size_gib: facts.sizeGib, active, since, decommissioned_at } };
  }
  const gpu_types = facts.gpuTypes.map(({ gpuType, inUse, reserved, uncovered }) => {
    return { gpu_type: gpuType, in_use: inUse, reserved, uncovered };
  });
  return { ...standing, cluster: { id, gpu_types, active, since, provisioned: facts.provisioned, decommissioned_at } };
}

function resourceOf({ account_id, sequence, burn_rate, cluster, volume }: Avro.ResourceStanding): unknown {
  return {
    kind: 'resource',
    account_id,
    sequence,
    facts: factsOf(cluster, volume),
    burn_rate: formatAmount(burn_rate),
  };
}

function factsOf(cluster: Avro.ClusterStanding | null, volume: Avro.VolumeStanding | null): unknown {
  if (cluster !== null) {
    const { id, active, since, provisioned } = cluster;
    const gpuTypes = cluster.gpu_types.map(({ gpu_type: gpuType, in_use: inUse, reserved, uncovered }) => {
      return { gpuType, inUse, reserved, uncovered };
    });
    return { kind: 'cluster', id, gpuTypes, active, since, provisioned, ...decommissioned(cluster) };
  }
  if (volume === null) throw new Error('a resource that is of a kind that this release does not know');
  const { id, size_gib: sizeGib, active, since } = volume;
  return { kind: 'volume', id, sizeGib, active, since, ...decommissioned(volume) };
}

function decommissioned({ decommissioned_at: at }: { readonly decommissioned_at: number | null }): object {
  return at === null ? {} : { decommissionedAt: at };
}

/** The shape of a record, with its words any text. */
type Loosened<Value> = Value extends string
  ? string
  : Value extends readonly [infer First, infer Second]
    ? readonly [Loosened<First>, Loosened<Second>]
    : Value extends readonly (infer Item)[]
      ? readonly Loosened<Item>[]
      : Value extends object
        ? { readonly [name in keyof Value]: Loosened<Value[name]> }
        : Value;
