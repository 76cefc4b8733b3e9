/** Made by scripts/avro-types.mjs from schemas/avro; not to be changed by hand. */

export interface PolicyInForce {
  readonly low_runway_ms: readonly number[];
  readonly realert_after_ms: number;
  readonly burst_decommission_after_ms: number;
  readonly pause_after_ms: number;
  readonly decommission_paused_after_ms: number;
  readonly revoke_after_ms: number;
  readonly decommission_revoked_after_ms: number;
  readonly reservation_end_notices_ms: readonly number[];
  readonly credit_expiry_notices_ms: readonly number[];
  readonly resume_runway_ms: number;
  readonly activity_window_ms: number;
  readonly overdue_after_ms: number;
  readonly stale_after_ms: number;
}

export interface GrantLeft {
  readonly grant_id: string;
  readonly expires_at: null | number;
}

export interface ReservationStanding {
  readonly reservation_id: string;
  readonly cluster_id: string;
  readonly gpu_type: string;
  readonly gpus: number;
  readonly starts_at: number;
  readonly ends_at: number;
  readonly charged: boolean;
  /** term, cancellation or cancellation_decommission. */
  readonly end_set_by: string;
  readonly revision: number;
}

export interface GpuHourPrice {
  readonly gpu_type: string;
  readonly price: bigint;
}

export interface AccountStanding {
  readonly account_id: string;
  /** Per account, from 1, without gaps. */
  readonly sequence: number;
  /** How many records with resource follow under this sequence. */
  readonly resources: number;
  /** The event of metering.events, same partition, that caused it or moved the clock to it. */
  readonly offset: number;
  readonly clock: number;
  /** event, or instant: something fell due. */
  readonly origin: string;
  /** USD. */
  readonly balance: bigint;
  /** USD an hour. */
  readonly burn_rate: bigint;
  /** active, low or exhausted. */
  readonly level: string;
  /** Runway thresholds that are passed, longest first. */
  readonly passed_ms: readonly number[];
  /** The policy in force; durations in milliseconds. */
  readonly policy: PolicyInForce;
  /** Grants with something left, by expiry. */
  readonly grants: readonly GrantLeft[];
  /** Reservations that have not ended, by id. */
  readonly reservations: readonly ReservationStanding[];
  /** USD a GPU-hour of each gpu_type reserved. */
  readonly on_demand_prices: readonly GpuHourPrice[];
}

export interface GpuTypeUse {
  readonly gpu_type: string;
  readonly in_use: number;
  /** Capacity of the reservations that hold now. */
  readonly reserved: number;
  /** GPUs beyond it. */
  readonly uncovered: number;
}

export interface ClusterStanding {
  readonly id: string;
  readonly gpu_types: readonly GpuTypeUse[];
  readonly active: boolean;
  /** Since when it is active or idle. */
  readonly since: number;
  readonly provisioned: boolean;
  readonly decommissioned_at: null | number;
}

export interface VolumeStanding {
  readonly id: string;
  readonly size_gib: number;
  readonly active: boolean;
  readonly since: number;
  readonly decommissioned_at: null | number;
}

export interface ResourceStanding {
  readonly account_id: string;
  readonly sequence: number;
  /** USD an hour. */
  readonly burn_rate: bigint;
  readonly cluster: null | ClusterStanding;
  readonly volume: null | VolumeStanding;
}

export interface Watermark {
  readonly partition: number;
  readonly clock: number;
  readonly next_offset: number;
}

/** balance.updates: how an account stands, all values absolute. An update is one record with account, then one with resource for each changed resource, all of one sequence. Exactly one of account, resource and watermark is there. */
export interface BalanceUpdate {
  readonly account: null | AccountStanding;
  /** Exactly one of cluster and volume is there. */
  readonly resource: null | ResourceStanding;
  /** All updates of events before next_offset have been sent; time has come to clock. */
  readonly watermark: null | Watermark;
}

export interface Resource {
  /** account, cluster, volume, reservation, grant, pipeline. */
  readonly kind: string;
  readonly id: string;
}

export interface KeptGpus {
  readonly gpu_type: string;
  readonly gpus: number;
}

export interface PlannedAction {
  readonly resource: Resource;
  readonly command: string;
  readonly scope: string;
  readonly gpus: null | number;
  readonly at: number;
}

export interface CommandDetail {
  /** What will be done, and when. */
  readonly actions: null | readonly PlannedAction[];
  /** Clusters that stay paused after a restoration. */
  readonly paused: null | readonly string[];
  /** USD: the balance that would resume them. */
  readonly resumes_at: null | bigint;
  /** The runway threshold that was passed. */
  readonly threshold_ms: null | number;
  /** USD an hour. */
  readonly burn_rate: null | bigint;
  readonly ends_at: null | number;
  /** After the reservation's end: decommission, burst, nothing. */
  readonly follows: null | string;
  readonly burst_gpus: null | number;
  /** USD an hour. */
  readonly burst_cost: null | bigint;
  /** When the grant expires. */
  readonly expires_at: null | number;
  /** The command that did not take. */
  readonly overdue_command: null | string;
  readonly overdue_attempt: null | number;
  /** What holds enforcement: input_stale, brake. */
  readonly why: null | string;
}

/** control.alerts, control.compute, control.storage: what consumers are told or have to do. Keyed by account, kind and id of the resource. Ignore one whose sequence is not above the last that you carried out for the resource. */
export interface ControlCommand {
  /** The same for every repeat. */
  readonly command_id: string;
  /** alert, pause, resume, revoke, restore, decommission. */
  readonly command: string;
  /** The kind of an alert: credits_low, credits_exhausted, ... New ones may come. */
  readonly alert: null | string;
  readonly account_id: string;
  readonly resource: Resource;
  /** Of a command: cluster, burst, volume. */
  readonly scope: null | string;
  /** Scope burst: how many GPUs are uncovered now. */
  readonly gpus: null | number;
  /** Scope burst: the reserved capacity that must stay. Shrink to it, never below. */
  readonly keep: null | readonly KeptGpus[];
  /** credits_exhausted, credits_restored, reserved, reservation_ended; of an alert its kind. */
  readonly reason: string;
  readonly notice_id: null | string;
  readonly episode: null | number;
  /** Rises with every command or alert of one resource. */
  readonly sequence: number;
  /** From 1; 1 in alerts. */
  readonly attempt: number;
  readonly issued_at: number;
  /** USD, that of the last balance update. */
  readonly balance: bigint;
  /** customer or operator. */
  readonly audience: string;
  /** What follows; members that do not apply are null. */
  readonly detail: null | CommandDetail;
}

export type TimeForm = 'SECONDS' | 'MILLIS' | 'INTEGER';

export interface Tag {
  readonly name: string;
  readonly value: string;
}

export interface UsageGpu {
  readonly cluster_id: string;
  readonly node_id: string;
  readonly gpu_type: string;
  readonly gpus: number;
  readonly start: number;
  readonly end: number;
  /** How the sender wrote the instant: 2026-05-04T10:00:00Z, 2026-05-04T10:00:00.000Z, or integer milliseconds. */
  readonly start_sent: TimeForm;
  readonly end_sent: TimeForm;
  /** In the order in which they were sent, no name twice; null where none were sent. */
  readonly tags: null | readonly Tag[];
}

export interface UsageStorage {
  readonly volume_id: string;
  readonly size_gib: number;
  readonly start: number;
  readonly end: number;
  readonly start_sent: TimeForm;
  readonly end_sent: TimeForm;
  readonly tags: null | readonly Tag[];
}

export interface SentEvent {
  readonly type: string;
  /** The event's data as JSON text, with its members in the order in which they were sent. */
  readonly data: string;
}

/** metering.events: an event that ingest let in. Its time is the record's own timestamp, stamped by the log. Exactly one of usage_gpu, usage_storage and other is there. */
export interface MeteringEvent {
  /** With source, what makes a repeat one: [A-Za-z0-9._:-]{1,128}. */
  readonly id: string;
  readonly source: string;
  /** The account; null for what concerns all of them. */
  readonly subject: null | string;
  /** A price that another partition has judged already. */
  readonly forwarded: boolean;
  /** type usage.gpu: GPUs of one node in use over [start, end). */
  readonly usage_gpu: null | UsageGpu;
  /** type usage.storage: the size of one volume over [start, end). */
  readonly usage_storage: null | UsageStorage;
  /** Every other type, and usage that was written in an unusual way. */
  readonly other: null | SentEvent;
}

/** control.operations: what an operator does to enforcement. */
export interface Operation {
  /** hold or release. */
  readonly act: string;
  /** Null: all accounts. */
  readonly account_id: null | string;
  /** The id of the operator's key. */
  readonly by: string;
  readonly why: string;
  readonly act_id: string;
  readonly at: number;
  /** The whole record as JSON where a text of it holds half of a surrogate pair, which no Avro string can; null as a rule. */
  readonly exact: null | string;
}

export interface LoggedAt {
  readonly partition: number;
  readonly offset: number;
}

export interface RefusedAtDoor {
  /** The id of the key that sent it. */
  readonly sent_by: string;
  readonly received_at: number;
  /** The event's text holds only the beginning of what was sent. */
  readonly truncated: boolean;
}

export interface EventText {
  /** json: one line of JSON; text: other text; base64: bytes that are no UTF-8. */
  readonly encoding: string;
  readonly text: string;
}

/** metering.rejected: an event that was not applied, whole, with the reason. Exactly one of logged and door is there. */
export interface RejectedEvent {
  /** malformed, unknown_type, invalid_field, ...: the first that holds. New ones may come. */
  readonly reason: string;
  /** What was wrong, where, and what to do. */
  readonly detail: string;
  /** The rater refused it: where it stands in metering.events. */
  readonly logged: null | LoggedAt;
  /** Ingest refused it: it never entered metering.events. */
  readonly door: null | RefusedAtDoor;
  readonly event: EventText;
  /** The whole record as JSON where a text of it holds half of a surrogate pair, which no Avro string can; null as a rule. */
  readonly exact: null | string;
}

export interface GpuUse {
  readonly cluster_id: string;
  readonly node_id: string;
  readonly gpu_type: string;
  /** 1 to 1024. */
  readonly gpus: number;
}

export interface VolumeUse {
  readonly volume_id: string;
  readonly size_gib: number;
}

export interface SampleTag {
  readonly name: string;
  readonly value: string;
}

/** telemetry.samples: usage as agents report it, for producers that speak Kafka. Fill in exactly one of gpu and storage. A sample sent again is billed once. */
export interface UsageSample {
  /** [A-Za-z0-9._:-]{1,128} */
  readonly id: string;
  /** Who reports, 1 to 256 characters. Id and source together name a sample for ever. */
  readonly source: string;
  readonly account_id: string;
  readonly start: number;
  /** Not included: the next sample begins here. */
  readonly end: number;
  /** GPUs of one node in use. */
  readonly gpu: null | GpuUse;
  /** The size of one volume. */
  readonly storage: null | VolumeUse;
  /** At most 16; names and values of at most 64 characters; no name twice. */
  readonly tags: readonly SampleTag[];
}
