import { hour, minute } from './draft.ts';

/** One kind of customer: how it is funded, what it runs, and how often what happens to it. Weights are per step. */
export interface Profile {
  readonly name: string;
  /** Steps of the clock between reports, in ms. */
  readonly steps: readonly [number, ...number[]];
  /** Hours of its own burn that the first grant covers. */
  readonly funds: readonly [number, number];
  readonly clusters: readonly [number, number];
  readonly volumes: readonly [number, number];
  /** Reservations bought at the start. */
  readonly reservations: readonly [number, number];
  readonly onProvision: number;
  /** Whether nodes go beyond what is reserved, as a probability at the start. */
  readonly burst: number;
  /** Whether resources stop when the account has been out of credits for a while, as a probability a step. */
  readonly obeys: number;
  readonly acts: Readonly<Partial<Record<Act, number>>>;
}

export type Act =
  | 'grant'
  | 'topUp'
  | 'expiringGrant'
  | 'purchase'
  | 'overdraftPurchase'
  | 'extend'
  | 'cancel'
  | 'contract'
  | 'book'
  | 'policy'
  | 'provision'
  | 'decommissionCluster'
  | 'createVolume'
  | 'decommissionVolume'
  | 'startStop'
  | 'scale'
  | 'late'
  | 'overlap'
  | 'jump'
  | 'edgeTick'
  | 'redeliver'
  | 'nothing';

const quiet = {
  nothing: 30,
  edgeTick: 4,
  startStop: 3,
  scale: 4,
  late: 2,
  overlap: 3,
  redeliver: 3,
  provision: 1,
  decommissionCluster: 1,
};

export const profiles: readonly [Profile, ...Profile[]] = [
  {
    name: 'reserved with burst',
    steps: [10 * minute, 30 * minute, hour],
    funds: [10, 60],
    clusters: [1, 2],
    volumes: [0, 1],
    reservations: [1, 2],
    onProvision: 0.3,
    burst: 0.7,
    obeys: 0.1,
    acts: { ...quiet, extend: 6, cancel: 7, purchase: 6, provision: 2, jump: 5, topUp: 2, decommissionCluster: 2 },
  },
  {
    name: 'on demand, running dry',
    steps: [10 * minute, 15 * minute, hour],
    funds: [1, 5],
    clusters: [1, 2],
    volumes: [0, 1],
    reservations: [0, 0],
    onProvision: 0,
    burst: 0,
    obeys: 0.05,
    acts: { ...quiet, jump: 9, topUp: 4, decommissionCluster: 2, overdraftPurchase: 2, policy: 1 },
  },
  {
    name: 'volumes only',
    steps: [hour, 2 * hour, 6 * hour],
    funds: [2, 40],
    clusters: [0, 0],
    volumes: [1, 3],
    reservations: [0, 0],
    onProvision: 0,
    burst: 0,
    obeys: 0.02,
    acts: { ...quiet, jump: 10, topUp: 3, createVolume: 4, decommissionVolume: 4, scale: 8 },
  },
  {
    name: 'up and down the ladder',
    steps: [15 * minute, hour, 2 * hour],
    funds: [1, 3],
    clusters: [1, 2],
    volumes: [1, 1],
    reservations: [0, 1],
    onProvision: 0.2,
    burst: 0.5,
    obeys: 0.1,
    acts: { ...quiet, jump: 8, topUp: 12, overdraftPurchase: 2, decommissionCluster: 1, decommissionVolume: 1 },
  },
  {
    name: 'paused and going on',
    steps: [30 * minute, hour, 3 * hour],
    funds: [0, 2],
    clusters: [1, 2],
    volumes: [0, 2],
    reservations: [0, 0],
    onProvision: 0,
    burst: 0,
    obeys: 0,
    acts: {
      nothing: 60,
      jump: 10,
      edgeTick: 3,
      topUp: 1,
      overdraftPurchase: 1,
      decommissionCluster: 1,
      decommissionVolume: 1,
    },
  },
  {
    name: 'bursting without credit',
    steps: [10 * minute, 30 * minute, hour],
    funds: [0, 1],
    clusters: [1, 2],
    volumes: [0, 1],
    reservations: [1, 2],
    onProvision: 0.5,
    burst: 0.8,
    obeys: 0.1,
    acts: { ...quiet, scale: 12, jump: 5, topUp: 3, extend: 3, cancel: 5, overdraftPurchase: 3 },
  },
  {
    name: 'delivered on provision',
    steps: [hour, 3 * hour],
    funds: [5, 80],
    clusters: [1, 2],
    volumes: [0, 0],
    reservations: [0, 1],
    onProvision: 0.85,
    burst: 0.4,
    obeys: 0.1,
    acts: {
      ...quiet,
      purchase: 14,
      extend: 8,
      cancel: 6,
      provision: 8,
      decommissionCluster: 7,
      startStop: 10,
      jump: 4,
    },
  },
  {
    name: 'promotions that expire',
    steps: [30 * minute, hour, 6 * hour],
    funds: [0, 3],
    clusters: [1, 1],
    volumes: [0, 1],
    reservations: [0, 0],
    onProvision: 0,
    burst: 0,
    obeys: 0.1,
    acts: { ...quiet, expiringGrant: 18, grant: 2, jump: 6, topUp: 2, edgeTick: 10 },
  },
  {
    name: 'at negotiated prices',
    steps: [20 * minute, hour, 3 * hour],
    funds: [5, 50],
    clusters: [1, 2],
    volumes: [0, 2],
    reservations: [0, 1],
    onProvision: 0.3,
    burst: 0.5,
    obeys: 0.1,
    acts: { ...quiet, contract: 10, book: 6, policy: 3, grant: 3, jump: 3, topUp: 2 },
  },
  {
    name: 'late over the end of the month',
    steps: [2 * hour, 6 * hour, 12 * hour],
    funds: [20, 300],
    clusters: [1, 2],
    volumes: [1, 1],
    reservations: [0, 1],
    onProvision: 0.3,
    burst: 0.5,
    obeys: 0.1,
    acts: { ...quiet, late: 30, overlap: 8, jump: 5, expiringGrant: 3, topUp: 2, purchase: 2, cancel: 2 },
  },
  {
    name: 'by the millisecond',
    steps: [1, 7, 1200, 3599],
    funds: [0, 1],
    clusters: [1, 2],
    volumes: [1, 1],
    reservations: [0, 1],
    onProvision: 0.3,
    burst: 0.6,
    obeys: 0,
    acts: { ...quiet, overlap: 12, scale: 10, grant: 4, topUp: 4, extend: 3, cancel: 3, contract: 3, startStop: 6 },
  },
  {
    name: 'reserved to the last credit',
    steps: [hour, 3 * hour],
    funds: [0, 0],
    clusters: [1, 2],
    volumes: [0, 1],
    reservations: [1, 2],
    onProvision: 0.2,
    burst: 0.2,
    obeys: 0.2,
    acts: {
      ...quiet,
      jump: 8,
      extend: 6,
      cancel: 4,
      purchase: 3,
      overdraftPurchase: 3,
      topUp: 2,
      decommissionCluster: 2,
    },
  },
];
