import type { Envelope, Usage, UsageGpu, UsageStorage } from '../../shared/contracts/event.ts';
import type { Nanos } from '../../shared/money.ts';
import { DAY_MS, formatInstant, type Instant, MINUTE_MS } from '../../shared/time.ts';
import {
  type Account,
  type Cluster,
  type Effects,
  type GpuTypeUse,
  NEVER,
  type Node,
  touch,
  type Volume,
} from './account.ts';
import { nodeSeen, paidUntil, refreshUncovered, volumeSeen } from './activity.ts';
import { charge } from './credits.ts';
import { cutParts, type Draft } from './cut.ts';
import { IntervalSet } from './interval-set.ts';
import { APPLIED, DUPLICATE, type Outcome, rejected } from './outcome.ts';
import { gpuPrices, listPriceAt, type PriceBook, type PriceSources, storagePrices } from './price-book.ts';
import { provision } from './provisioning.ts';
import { addQuantity, quantityFor, unitOf } from './quantities.ts';
import { clusterOf, gpuTypeOf, volumeOf } from './resources.ts';

const INTERVAL_MAX_MS = DAY_MS;
const FUTURE_MAX_MS = 5 * MINUTE_MS;
/** E4: usage that starts longer ago is `too_late`; no sample reaches further back. */
export const LATE_MAX_MS = 35 * DAY_MS;

/** E4: what is wrong with a sample's interval at this clock, before anything of its account is looked at. */
export function intervalFault(usage: Usage, clock: Instant): Outcome | undefined {
  if (usage.end <= usage.start) return rejected('interval_invalid', 'data.end: must be after data.start');
  if (usage.end - usage.start > INTERVAL_MAX_MS) {
    return rejected(
      'interval_too_long',
      'data.end: more than 24 h after data.start; send the interval in shorter samples',
    );
  }
  if (usage.end > clock + FUTURE_MAX_MS) {
    return rejected('in_future', `data.end: more than 5 min after the event's time ${formatInstant(clock)}`);
  }
  if (usage.start < clock - LATE_MAX_MS) {
    return rejected('too_late', `data.start: more than 35 days before the clock ${formatInstant(clock)}`);
  }
  return undefined;
}

/** R1-R8, C4, C6: rates a node's sample: bills what was not billed yet, and notes that the node is in use. */
export function rateGpuUsage(
  account: Account,
  book: PriceBook,
  envelope: Envelope,
  usage: UsageGpu,
  clock: Instant,
  effects: Effects,
): Outcome {
  const known = account.clusters.get(usage.clusterId);
  const knownNode = known?.nodes.get(usage.nodeId);
  const parts = missingParts(knownNode?.billed, usage);
  if (parts.length === 0) return DUPLICATE;
  const prices = gpuPrices(book, account, usage.gpuType);
  const fault = priceFault(parts, prices, usage.gpuType);
  if (fault !== undefined) return fault;

  const cluster = known ?? clusterOf(account, usage.clusterId, clock);
  const use = knownNode?.use.gpuType === usage.gpuType ? knownNode.use : gpuTypeOf(cluster, usage.gpuType);
  const node = knownNode ?? newNode(cluster, use, usage);
  if (!cluster.provisioned && usage.end > cluster.decommissionedAt) provision(account, cluster, clock, effects);
  bill(account, node, parts, clock);
  for (const { used } of use.reservations) used.forgetBefore(clock - LATE_MAX_MS);
  const drafts = cutParts(parts, {
    clock,
    prices,
    units: usage.gpus,
    usage: 'gpu',
    reservations: use.reservations,
  });
  for (const reservation of use.reservations) if (reservation.used.changed) touch(account, reservation);
  const sample: Sample = {
    account,
    owner: node,
    usage,
    prefix: `c/${account.id}/${usage.clusterId}/${usage.nodeId}`,
    envelope,
  };
  emitLines(sample, drafts, clock, effects);
  const before = node.use;
  nodeSeen(account, node, use, usage, clock);
  notePaid(account, use, drafts, clock);
  refreshUncovered(account, use, clock);
  if (before !== use) refreshUncovered(account, before, clock);
  return APPLIED;
}

/** R1-R8, C6: rates a volume's sample. */
export function rateStorageUsage(
  account: Account,
  book: PriceBook,
  envelope: Envelope,
  usage: UsageStorage,
  clock: Instant,
  effects: Effects,
): Outcome {
  const known = account.volumes.get(usage.volumeId);
  const parts = missingParts(known?.billed, usage);
  if (parts.length === 0) return DUPLICATE;
  const prices = storagePrices(book, account);
  const fault = priceFault(parts, prices, 'storage');
  if (fault !== undefined) return fault;

  const volume = volumeOf(account, usage.volumeId, clock);
  bill(account, volume, parts, clock);
  const drafts = cutParts(parts, { clock, prices, units: 1, usage: 'storage', reservations: [] });
  const sample: Sample = { account, owner: volume, usage, prefix: `v/${account.id}/${volume.id}`, envelope };
  emitLines(sample, drafts, clock, effects);
  volumeSeen(account, volume, usage, clock);
  return APPLIED;
}

function missingParts(billed: IntervalSet | undefined, usage: Usage): readonly Instant[] {
  return billed === undefined ? [usage.start, usage.end] : billed.missing(usage.start, usage.end);
}

/** R1: a price once in force stays so; a part that has one at its start has one to its end. */
function priceFault(parts: readonly Instant[], prices: PriceSources, sku: string): Outcome | undefined {
  for (let index = 0; index < parts.length; index += 2) {
    const start = parts[index] ?? 0;
    if (listPriceAt(prices, start) === undefined) {
      return rejected('no_price', `${sku} has no list price at ${formatInstant(start)}; publish one and redrive`);
    }
  }
  return undefined;
}

function bill(account: Account, owner: Node | Volume, parts: readonly Instant[], clock: Instant): void {
  owner.billed.forgetBefore(clock - LATE_MAX_MS);
  for (let index = 0; index < parts.length; index += 2) owner.billed.add(parts[index] ?? 0, parts[index + 1] ?? 0);
  touch(account, owner);
}

interface Sample {
  readonly account: Account;
  readonly owner: Node | Volume;
  readonly usage: Usage;
  readonly prefix: string;
  readonly envelope: Envelope;
}

/** R6, R7, C5: gives each draft its amounts and its id, and charges their sum in one entry. */
function emitLines(sample: Sample, drafts: readonly Draft[], clock: Instant, effects: Effects): void {
  const { account, owner, usage, envelope } = sample;
  const resourceKind = usage.type === 'usage.gpu' ? 'cluster' : 'volume';
  const resourceId = usage.type === 'usage.gpu' ? usage.clusterId : usage.volumeId;
  const sku = usage.type === 'usage.gpu' ? usage.gpuType : 'storage';
  const size = usage.type === 'usage.gpu' ? 1n : BigInt(usage.sizeGib);
  const event = `${envelope.source}/${envelope.id}`;
  let total: Nanos = 0n;
  let firstLineId = '';
  for (let index = 0; index < drafts.length; index += 1) {
    const draft = drafts[index];
    if (draft === undefined) break;
    const { category, reservationId, unitPriceMicros, listPriceMicros, invoiceMonth, correction } = draft;
    const key = {
      resourceKind,
      resourceId,
      sku,
      category,
      reservationId,
      unitPriceMicros,
      listPriceMicros,
      invoiceMonth,
      correction,
    } as const;
    const quantity = quantityFor(account, key, owner.lastQuantity);
    owner.lastQuantity = quantity;
    const quantityMs = BigInt(draft.unitMs) * size;
    const { amountNanos, listAmountNanos } = addQuantity(account, quantity, quantityMs);
    const lineId = `${sample.prefix}/${draft.start}/${index}`;
    if (index === 0) firstLineId = lineId;
    total += amountNanos;
    effects.line({
      lineId,
      event,
      accountId: account.id,
      resourceKind,
      resourceId,
      nodeId: usage.type === 'usage.gpu' ? usage.nodeId : undefined,
      sku,
      category,
      reservationId,
      start: draft.start,
      end: draft.end,
      quantityMs,
      unit: unitOf(resourceKind),
      unitPriceMicros,
      listUnitPriceMicros: listPriceMicros,
      amountNanos,
      listAmountNanos,
      invoiceMonth,
      correction,
      tags: usage.tags,
    });
  }
  charge(account, 'usage', total, { entryId: `usage/${firstLineId}`, ref: event }, clock, effects);
}

function notePaid(account: Account, use: GpuTypeUse, drafts: readonly Draft[], clock: Instant): void {
  let end = -1;
  for (const draft of drafts) if (draft.category !== 'reserved' && draft.end > end) end = draft.end;
  if (end >= 0) paidUntil(account, use, end, clock);
}

function newNode(cluster: Cluster, use: GpuTypeUse, usage: UsageGpu): Node {
  const node: Node = {
    kind: 'node',
    id: usage.nodeId,
    dirty: false,
    cluster,
    use,
    gpus: usage.gpus,
    lastEnd: -1,
    seenAt: -1,
    active: false,
    timerAt: NEVER,
    billed: new IntervalSet(),
    lastQuantity: undefined,
  };
  cluster.nodes.set(node.id, node);
  return node;
}
