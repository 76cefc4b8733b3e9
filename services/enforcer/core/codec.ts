import { DEFAULT_POLICY } from '../../shared/contracts/policy.ts';
import type { Instant } from '../../shared/time.ts';
import { UnreadableState } from './errors.ts';
import type { AccountState } from './state.ts';
import { newSupervision, type SupervisionState } from './supervision.ts';

/** The shape of what is encoded. State of another is not read: it would be misunderstood. */
const STATE_VERSION = 1;

/** B1: an account of which nothing is known yet; its first update has sequence 1. */
export function newAccount(accountId: string): AccountState {
  return {
    accountId,
    updateSequence: 0,
    commandSequence: 0,
    balanceNanos: 0n,
    burnRateNanos: 0n,
    level: 'active',
    passedMs: [],
    policy: DEFAULT_POLICY,
    onDemandPriceNanos: new Map(),
    episodes: 0,
    episode: undefined,
    lowAlerts: new Map(),
    clusters: new Map(),
    volumes: new Map(),
    reservations: new Map(),
    grants: new Map(),
    hold: undefined,
    lastRelease: undefined,
    held: undefined,
    published: new Map(),
  };
}

/** An account's state as JSON, `bigint` as strings, maps as lists of pairs, so that hostile ids are only ever values. */
export function encodeAccount(account: AccountState): string {
  return encodeState(account);
}

/** @throws UnreadableState if the text is not what `encodeAccount` of this version wrote */
export function decodeAccount(text: string): AccountState {
  return decodeState(text) as AccountState;
}

/** What is kept of a partition as a whole. */
export interface PartitionState {
  /** Of the last input. */
  clock: Instant;
  /** N11: accounts of the partition, loaded or not. */
  accounts: number;
  readonly supervision: SupervisionState;
}

export function newPartition(): PartitionState {
  return { clock: 0, accounts: 0, supervision: newSupervision() };
}

/** @throws UnreadableState if the text is not what `encodeState` of this version wrote */
export function decodePartition(text: string): PartitionState {
  return decodeState(text) as PartitionState;
}

/** Any state made of objects, arrays, maps, strings, numbers, booleans and `bigint`. */
export function encodeState(state: object): string {
  return JSON.stringify({ version: STATE_VERSION, state }, (_name, value: unknown) => {
    if (typeof value === 'bigint') return { $bigint: value.toString() };
    if (value instanceof Map) return { $map: [...value] };
    return value;
  });
}

/** @throws UnreadableState if the text is not what `encodeState` of this version wrote */
function decodeState(text: string): unknown {
  let read: unknown;
  try {
    read = JSON.parse(text, revive);
  } catch (fault) {
    throw new UnreadableState(`stored state is broken: ${String(fault)}`);
  }
  if (typeof read !== 'object' || read === null || !('version' in read) || !('state' in read)) {
    throw new UnreadableState('stored state has no version');
  }
  if (read.version !== STATE_VERSION) {
    throw new UnreadableState(`stored state has version ${String(read.version)}, this program reads ${STATE_VERSION}`);
  }
  return read.state;
}

function revive(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('$bigint' in value && typeof value.$bigint === 'string') return BigInt(value.$bigint);
  if ('$map' in value && Array.isArray(value.$map)) return new Map(value.$map as [unknown, unknown][]);
  return value;
}
