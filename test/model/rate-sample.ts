import { type Account, holds } from './account.ts';
import { costOfGibMs, costOfGpuMs, formatAmount, formatPrice } from './amounts.ts';
import { formatTime, hour, monthEnd, monthOf } from './calendar.ts';
import { type Fraction, zero } from './fraction.ts';
import type { Category, RatedLine, Unit } from './output.ts';
import { type PriceEntry, pricesAt } from './price-book.ts';

/** What a sample claims: `weight` GPUs or GiB of one node or volume in `[start, end)`. */
export interface Claim {
  readonly accountId: string;
  readonly resourceKind: 'cluster' | 'volume';
  readonly resourceId: string;
  readonly nodeId: string | undefined;
  readonly gpuType: string | undefined;
  readonly weight: number;
  readonly start: number;
  readonly end: number;
  readonly event: string;
  readonly tags: unknown;
}

/** A stretch of time of a claim, before and after it has a price and a category. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly paid: Fraction;
  readonly list: Fraction;
}

/** R3: one rated piece. All that were ever rated are kept, and everything is found by looking through them. */
export interface Piece {
  readonly claim: Claim;
  readonly start: number;
  readonly end: number;
  readonly category: Category;
  readonly reservationId: string | undefined;
  readonly weight: number;
  readonly price: Fraction;
  readonly list: Fraction;
  readonly month: string;
  readonly correction: boolean;
}

/** A rated line with the numbers it was made of. */
export interface Line {
  readonly claim: Claim;
  readonly written: RatedLine;
  /** R6: the key that its amounts are summed by, as text. */
  readonly key: string;
  readonly quantityMs: bigint;
  readonly amount: bigint;
  readonly listAmount: bigint;
}

/** R2, R3, R5: the stretches of a claim not yet billed, cut wherever a price, the capacity or the hour may change; R1: or `no_price`. */
export function stretchesOf(
  claim: Claim,
  account: Account,
  pieces: readonly Piece[],
  prices: readonly PriceEntry[],
): Stretch[] | 'no_price' {
  const near = pieces.filter((p) => p.start < claim.end && p.end > claim.start);
  const billed = near.filter((p) => sameMeter(p.claim, claim));
  const cuts = new Set([claim.start, claim.end]);
  for (const piece of near) {
    if (sameMeter(piece.claim, claim) || samePool(piece.claim, claim)) cuts.add(piece.start).add(piece.end);
  }
  for (const r of account.reservations) cuts.add(r.startsAt).add(r.endsAt);
  for (const entry of prices) cuts.add(entry.effectiveFrom);
  for (let at = Math.ceil(claim.start / hour) * hour; at < claim.end; at += hour) cuts.add(at);
  const instants = [...cuts].filter((at) => at >= claim.start && at <= claim.end).sort((a, b) => a - b);
  const stretches: Stretch[] = [];
  for (const [index, start] of instants.entries()) {
    const end = instants[index + 1];
    if (end === undefined || billed.some((p) => p.start <= start && start < p.end)) continue;
    const price = pricesAt(prices, claim.accountId, claim.gpuType, start);
    if (price === undefined) return 'no_price';
    stretches.push({ start, end, paid: price.paid, list: price.list });
  }
  return stretches;
}

/** R4, R5, R8: a stretch as pieces: what reservations have free at its start, then the rest. Capacity that `taken` pieces use is not free. */
export function piecesOf(
  claim: Claim,
  account: Account,
  stretch: Stretch,
  taken: readonly Piece[],
  clock: number,
): Piece[] {
  const { start, end, list } = stretch;
  const own = monthOf(start);
  const correction = clock >= monthEnd(own) + 72 * hour;
  const common = { claim, start, end, list, month: correction ? monthOf(clock) : own, correction };
  const { gpuType } = claim;
  if (gpuType === undefined) {
    return [{ ...common, category: 'storage', reservationId: undefined, weight: claim.weight, price: stretch.paid }];
  }
  const holding = account.reservations.filter((r) => holds(r, claim.resourceId, gpuType, start));
  holding.sort((a, b) => (a.endsAt !== b.endsAt ? a.endsAt - b.endsAt : a.id < b.id ? -1 : 1));
  const pieces: Piece[] = [];
  let rest = claim.weight;
  for (const r of holding) {
    const users = taken.filter((p) => p.reservationId === r.id && p.start <= start && start < p.end);
    const free = r.gpus - users.reduce((sum, p) => sum + p.weight, 0);
    const weight = Math.min(rest, Math.max(0, free));
    if (weight > 0) pieces.push({ ...common, category: 'reserved', reservationId: r.id, weight, price: zero });
    rest -= weight;
  }
  const category = holding.length > 0 ? 'burst' : 'on_demand';
  if (rest > 0) pieces.push({ ...common, category, reservationId: undefined, weight: rest, price: stretch.paid });
  return pieces;
}

/** R6, R7: a sample's pieces as lines. An amount is what the key's whole quantity costs less what its lines have cost so far. */
export function linesOf(pieces: readonly Piece[], before: ReadonlyMap<string, readonly Line[]>): Line[] {
  const groups = new Map<string, Piece[]>();
  for (const piece of pieces) {
    const key = `${Math.floor(piece.start / hour)} ${sumKey(piece)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [piece]);
    else group.push(piece);
  }
  const lines: Line[] = [];
  for (const group of [...groups.values()].sort(byHourAndCategory)) {
    const first = head(group);
    const key = sumKey(first);
    const same = (before.get(key) ?? []).concat(lines.filter((line) => line.key === key));
    const quantityMs = group.reduce((sum, p) => sum + BigInt(p.weight) * BigInt(p.end - p.start), 0n);
    const total = same.reduce((sum, line) => sum + line.quantityMs, quantityMs);
    const cost = first.claim.resourceKind === 'cluster' ? costOfGpuMs : costOfGibMs;
    const amount = cost(total, first.price) - same.reduce((sum, line) => sum + line.amount, 0n);
    const listAmount = cost(total, first.list) - same.reduce((sum, line) => sum + line.listAmount, 0n);
    const sums = { claim: first.claim, key, quantityMs, amount, listAmount };
    lines.push({ ...sums, written: writeLine(sums, group, lines.length) });
  }
  return lines;
}

/** R7: a line as it stands in rated.ndjson; `index` counts the sample's lines from 0. */
function writeLine(line: Omit<Line, 'written'>, pieces: readonly Piece[], index: number): RatedLine {
  const first = head(pieces);
  const { accountId, resourceKind, resourceId, nodeId, gpuType, event, tags } = line.claim;
  const start = Math.min(...pieces.map((p) => p.start));
  const meter = resourceKind === 'cluster' ? `c/${accountId}/${resourceId}/${nodeId}` : `v/${accountId}/${resourceId}`;
  const unit: Unit = resourceKind === 'cluster' ? 'gpu_hour' : 'gib_month';
  return {
    line_id: `${meter}/${start}/${index}`,
    event,
    account_id: accountId,
    resource_kind: resourceKind,
    resource_id: resourceId,
    ...(nodeId === undefined ? {} : { node_id: nodeId }),
    sku: gpuType ?? 'storage',
    category: first.category,
    ...(first.reservationId === undefined ? {} : { reservation_id: first.reservationId }),
    start: formatTime(start),
    end: formatTime(Math.max(...pieces.map((p) => p.end))),
    quantity_ms: line.quantityMs.toString(),
    unit,
    unit_price: formatPrice(first.price),
    list_unit_price: formatPrice(first.list),
    amount: formatAmount(line.amount),
    list_amount: formatAmount(line.listAmount),
    invoice_month: first.month,
    correction: first.correction,
    ...(tags === undefined ? {} : { tags }),
  };
}

/** R6: what the sum of a line's amounts is kept by. */
function sumKey(piece: Piece): string {
  const { accountId, resourceKind, resourceId, gpuType } = piece.claim;
  const { category, reservationId, price, list, month, correction } = piece;
  const prices = [formatPrice(price), formatPrice(list)];
  return JSON.stringify([
    accountId,
    resourceKind,
    resourceId,
    gpuType,
    category,
    reservationId,
    prices,
    month,
    correction,
  ]);
}

const categories: Category[] = ['reserved', 'burst', 'on_demand', 'storage'];

/** R7: by hour, first instant, category, reservation id. */
function byHourAndCategory(a: readonly Piece[], b: readonly Piece[]): number {
  const [x, y] = [head(a), head(b)];
  if (x.start !== y.start) return x.start - y.start;
  if (x.category !== y.category) return categories.indexOf(x.category) - categories.indexOf(y.category);
  return (x.reservationId ?? '') < (y.reservationId ?? '') ? -1 : 1;
}

/** R2: one node of one cluster, or one volume. */
function sameMeter(a: Claim, b: Claim): boolean {
  return (
    a.accountId === b.accountId &&
    a.resourceKind === b.resourceKind &&
    a.resourceId === b.resourceId &&
    a.nodeId === b.nodeId
  );
}

/** R4: GPUs that share reservations: those of one cluster and type. */
function samePool(a: Claim, b: Claim): boolean {
  return (
    a.accountId === b.accountId &&
    a.resourceKind === b.resourceKind &&
    a.resourceId === b.resourceId &&
    a.gpuType === b.gpuType
  );
}

/** The first piece of a line, which is its earliest: pieces are made in order of time. */
function head(pieces: readonly Piece[]): Piece {
  const first = pieces[0];
  if (first === undefined) throw new Error('a line without pieces');
  return first;
}
