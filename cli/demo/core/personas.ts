import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../services/shared/time.ts';

/** Offsets in milliseconds from the epoch, at which history ends and the live fleet begins. */
type FromEpoch = number;

/** One of the demo's customers. */
export interface Persona {
  readonly accountId: string;
  readonly name: string;
  /** What it is there to show, in a few words for the table. */
  readonly shows: string;
  /** N1: what it overrides; `activity_window` is added by the phase. */
  readonly policy: object;
  readonly pays: Pays;
  readonly clusters: readonly ClusterPlan[];
  readonly volumes: readonly VolumePlan[];
  /** C3: credits that expire, granted anew when they have. */
  readonly promotion?: { readonly firstExpiresAt: FromEpoch; readonly laterMs: number };
  /** This account's own prices (E: contract.priced). */
  readonly contract?: { readonly gpuHour: Readonly<Record<string, string>> };
}

/**
 * How a customer pays. All top up by the week until their time comes; then `steady` goes on so, `thin` keeps just above the
 * edge, and `late` runs dry at `firstAt`, stays in arrears, pays for `lastsMs`, and so on for ever.
 */
export type Pays =
  | { readonly kind: 'steady' }
  | { readonly kind: 'thin'; readonly from: FromEpoch; readonly aboveMs: number; readonly addsMs: number }
  | { readonly kind: 'late'; readonly firstAt: FromEpoch; readonly arrearsMs: number; readonly lastsMs: number };

export interface ClusterPlan {
  /** The cluster's ids are this with a number: a cluster that was decommissioned is not the one that comes after it. */
  readonly name: string;
  readonly gpuType: string;
  readonly gpusPerNode: number;
  /** Nodes that run all the time. */
  readonly nodes: number;
  readonly reserved?: ReservationPlan;
  /** Nodes above `nodes` that come and go. */
  readonly waveNodes?: number;
  /** K: orders to pause that the agent lets pass before it obeys: a machine that hangs. */
  readonly ignoredPauses?: number;
  /** Started only once the account is in arrears for so long. */
  readonly startsInArrearsMs?: number;
}

export interface ReservationPlan {
  readonly nodes: number;
  readonly pricePerGpuHour: string;
  readonly payment: 'upfront' | 'on_provision';
  readonly firstEndsAt: FromEpoch;
  /** Of those that are bought when one has ended. */
  readonly laterMs: number;
  /** It is extended to `firstEndsAt` at this time, from this end. */
  readonly extended?: { readonly at: FromEpoch; readonly from: FromEpoch };
}

export interface VolumePlan {
  readonly name: string;
  readonly sizeGib: number;
  /** It grows by a thousandth of its size so often; undefined: it does not. */
  readonly growsEveryMs?: number;
}

/** The shortest notices that N1 allows, so that the whole ladder can be watched within hours. */
const QUICK = {
  low_runway: ['1h', '30m', '10m'],
  realert_after: '15m',
  burst_decommission_after: '5m',
  pause_after: '5m',
  decommission_paused_after: '1h',
  revoke_after: '65m',
  decommission_revoked_after: '1h',
  resume_runway: '2m',
  overdue_after: '10m',
};

/** A dozen customers, by id. */
export const PERSONAS: readonly Persona[] = [
  {
    accountId: 'acme-research',
    name: 'Acme Research',
    shows: 'reserved, used in full; volume grows',
    policy: {},
    pays: { kind: 'steady' },
    clusters: [
      {
        ...{ name: 'acme-train', gpuType: 'H100', gpusPerNode: 8, nodes: 3 },
        reserved: {
          ...{ nodes: 3, pricePerGpuHour: '1.79', payment: 'upfront', laterMs: 30 * DAY_MS },
          firstEndsAt: 25 * DAY_MS,
          extended: { at: -6 * DAY_MS, from: 2 * DAY_MS },
        },
      },
    ],
    volumes: [{ name: 'acme-data', sizeGib: 40_000, growsEveryMs: HOUR_MS }],
  },
  {
    accountId: 'borealis-vision',
    name: 'Borealis Vision',
    shows: 'reserved, with burst by waves',
    policy: {},
    pays: { kind: 'steady' },
    clusters: [
      {
        ...{ name: 'borealis-gpu', gpuType: 'A100', gpusPerNode: 8, nodes: 2, waveNodes: 1 },
        reserved: {
          ...{ nodes: 2, pricePerGpuHour: '0.99', payment: 'on_provision', laterMs: 30 * DAY_MS },
          firstEndsAt: 12 * DAY_MS,
        },
      },
    ],
    volumes: [],
  },
  {
    accountId: 'cobalt-llm',
    name: 'Cobalt LLM',
    shows: 'on demand, always running low',
    policy: QUICK,
    pays: { kind: 'thin', from: -40 * MINUTE_MS, aboveMs: 8 * MINUTE_MS, addsMs: 50 * MINUTE_MS },
    clusters: [{ name: 'cobalt-serve', gpuType: 'H100', gpusPerNode: 8, nodes: 2 }],
    volumes: [],
  },
  {
    accountId: 'delta-robotics',
    name: 'Delta Robotics',
    shows: 'runs dry, is paused, pays, resumes',
    policy: QUICK,
    pays: { kind: 'late', firstAt: 2 * MINUTE_MS, arrearsMs: 8 * MINUTE_MS, lastsMs: 9 * MINUTE_MS },
    clusters: [{ name: 'delta-sim', gpuType: 'A100', gpusPerNode: 8, nodes: 2 }],
    volumes: [],
  },
  {
    accountId: 'ember-bio',
    name: 'Ember Bio',
    shows: 'about to be paused; does not obey at once',
    policy: QUICK,
    pays: { kind: 'late', firstAt: -15 * SECOND_MS, arrearsMs: 25 * MINUTE_MS, lastsMs: 20 * MINUTE_MS },
    clusters: [{ name: 'ember-fold', gpuType: 'H100', gpusPerNode: 8, nodes: 1, ignoredPauses: 1 }],
    volumes: [],
  },
  {
    accountId: 'fjord-genomics',
    name: 'Fjord Genomics',
    shows: 'paused; decommissioned next',
    policy: QUICK,
    pays: { kind: 'late', firstAt: -7 * MINUTE_MS, arrearsMs: 90 * MINUTE_MS, lastsMs: 20 * MINUTE_MS },
    clusters: [{ name: 'fjord-seq', gpuType: 'A100', gpusPerNode: 8, nodes: 2 }],
    volumes: [],
  },
  {
    accountId: 'glacier-rentals',
    name: 'Glacier Rentals',
    shows: 'decommissioned; begins anew',
    policy: QUICK,
    pays: { kind: 'late', firstAt: -75 * MINUTE_MS, arrearsMs: 80 * MINUTE_MS, lastsMs: 25 * MINUTE_MS },
    clusters: [
      { name: 'glacier-render', gpuType: 'L40S', gpusPerNode: 8, nodes: 1 },
      {
        ...{ name: 'glacier-retry', gpuType: 'L40S', gpusPerNode: 4, nodes: 1 },
        startsInArrearsMs: 67 * MINUTE_MS,
      },
    ],
    volumes: [],
  },
  {
    accountId: 'harbor-media',
    name: 'Harbor Media',
    shows: 'burst to be removed, volume revoked next',
    policy: QUICK,
    pays: { kind: 'late', firstAt: -30 * SECOND_MS, arrearsMs: 80 * MINUTE_MS, lastsMs: 30 * MINUTE_MS },
    clusters: [
      {
        ...{ name: 'harbor-encode', gpuType: 'L40S', gpusPerNode: 8, nodes: 2 },
        reserved: {
          ...{ nodes: 1, pricePerGpuHour: '0.59', payment: 'upfront', laterMs: 30 * DAY_MS },
          firstEndsAt: 20 * DAY_MS,
        },
      },
    ],
    volumes: [{ name: 'harbor-vault', sizeGib: 8000 }],
  },
  {
    accountId: 'iris-archive',
    name: 'Iris Archive',
    shows: 'volume revoked, restored when it pays',
    policy: QUICK,
    pays: { kind: 'late', firstAt: -100 * MINUTE_MS, arrearsMs: 112 * MINUTE_MS, lastsMs: 30 * MINUTE_MS },
    clusters: [],
    volumes: [{ name: 'iris-cold', sizeGib: 60_000 }],
  },
  {
    accountId: 'juno-startup',
    name: 'Juno Startup',
    shows: 'promotional credit about to expire',
    policy: { ...QUICK, credit_expiry_notices: ['7d', '1d', '30m', '10m'] },
    pays: { kind: 'steady' },
    clusters: [{ name: 'juno-lab', gpuType: 'L40S', gpusPerNode: 8, nodes: 1 }],
    volumes: [],
    promotion: { firstExpiresAt: 14 * MINUTE_MS, laterMs: 60 * MINUTE_MS },
  },
  {
    accountId: 'kepler-weather',
    name: 'Kepler Weather',
    shows: 'reservation about to end',
    policy: { reservation_end_notices: ['72h', '24h', '1h', '10m'] },
    pays: { kind: 'steady' },
    clusters: [
      {
        ...{ name: 'kepler-grid', gpuType: 'H100', gpusPerNode: 8, nodes: 2 },
        reserved: {
          ...{ nodes: 2, pricePerGpuHour: '1.99', payment: 'on_provision', laterMs: 90 * MINUTE_MS },
          firstEndsAt: 18 * MINUTE_MS,
        },
      },
    ],
    volumes: [],
  },
  {
    accountId: 'lumen-ai',
    name: 'Lumen AI',
    shows: 'contract prices; volume grows',
    policy: {},
    pays: { kind: 'steady' },
    clusters: [{ name: 'lumen-train', gpuType: 'H100', gpusPerNode: 8, nodes: 2 }],
    volumes: [{ name: 'lumen-sets', sizeGib: 12_000, growsEveryMs: 5 * MINUTE_MS }],
    contract: { gpuHour: { H100: '2.05' } },
  },
];
