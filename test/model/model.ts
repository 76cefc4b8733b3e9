import { type Account, openAccount, type Reservation, type ReservationCharge, type Span } from './account.ts';
import { instantsOf, reckon } from './activity.ts';
import { costOfGpuMs, formatAmount, formatPrice } from './amounts.ts';
import { day, formatTime, hour, minute, monthOf, parseTime } from './calendar.ts';
import { leftOfCredits, totals } from './credits.ts';
import { type Entry, invoicesOf } from './invoices.ts';
import { sameJson } from './json.ts';
import type { LedgerLine, ModelOutput, RatedLine, RejectedLine } from './output.ts';
import { type PriceEntry, priceAt } from './price-book.ts';
import { type Claim, type Line, linesOf, type Piece, piecesOf, stretchesOf } from './rate-sample.ts';
import { type Body, type ModelEvent, type Purchase, readEvent } from './read-event.ts';

/**
 * The independent model of rating and credits (sections U, E, R, C, F and the files of X but the commands): slow, naive
 * and written from the rules alone, to compare the core with. Nothing is kept that can be found by looking through
 * what happened so far.
 */
export function runModel(lines: readonly string[], until?: string): ModelOutput {
  const world = emptyWorld();
  for (const [index, text] of lines.entries()) {
    if (text.trim() === '') continue;
    const { value, isJson } = parseJson(text);
    const event = isJson ? readEvent(value) : 'malformed';
    const verdict = typeof event === 'string' ? event : take(world, event);
    if (verdict === 'applied') world.applied++;
    else if (verdict === 'duplicate') world.duplicates++;
    else world.rejected.push({ line: index + 1, reason: verdict, detail: verdict, event: isJson ? value : text });
  }
  const end = until === undefined ? undefined : parseTime(until);
  if (end !== undefined && world.clock !== undefined) advance(world, Math.max(end, world.clock));
  return report(world);
}

interface World {
  clock: number | undefined;
  readonly accounts: Map<string, Account>;
  readonly prices: PriceEntry[];
  /** E3: the applied events by business id. */
  readonly known: Map<string, ModelEvent>;
  readonly pieces: Piece[];
  readonly lines: Line[];
  readonly rated: RatedLine[];
  readonly entries: Entry[];
  readonly rejected: RejectedLine[];
  applied: number;
  duplicates: number;
}

type Verdict =
  | 'applied'
  | 'duplicate'
  | 'interval_invalid'
  | 'interval_too_long'
  | 'in_future'
  | 'too_late'
  | 'unknown_account'
  | 'conflict'
  | 'no_price'
  | 'retroactive_price'
  | 'unknown_reservation'
  | 'not_allowed'
  | 'insufficient_credits';

function emptyWorld(): World {
  const lists = { prices: [], pieces: [], lines: [], rated: [], entries: [], rejected: [] };
  return { clock: undefined, accounts: new Map(), known: new Map(), applied: 0, duplicates: 0, ...lists };
}

function parseJson(text: string): { value: unknown; isJson: boolean } {
  try {
    return { value: JSON.parse(text), isJson: true };
  } catch {
    return { value: undefined, isJson: false };
  }
}

/** E2, E3, E4: moves the clock, then judges the event: the first reason in E4's order, or what it does. */
function take(world: World, event: ModelEvent): Verdict {
  const clock = Math.max(world.clock ?? 0, event.time);
  advance(world, clock);
  const { body } = event;
  if (body.type === 'usage.gpu' || body.type === 'usage.storage') {
    if (body.end <= body.start) return 'interval_invalid';
    if (body.end - body.start > 24 * hour) return 'interval_too_long';
    if (body.end > clock + 5 * minute) return 'in_future';
    if (body.start < clock - 35 * day) return 'too_late';
  }
  const account = world.accounts.get(event.subject ?? '');
  if (event.subject !== undefined && account === undefined && body.type !== 'account.opened') return 'unknown_account';
  const key = businessId(event);
  const earlier = key === undefined ? undefined : world.known.get(key);
  if (earlier !== undefined) {
    const same = earlier.type === event.type && earlier.subject === event.subject && sameJson(earlier.data, event.data);
    return same ? 'duplicate' : 'conflict';
  }
  const verdict = act(world, account, event, clock);
  if (verdict !== 'applied') return verdict;
  if (key !== undefined) world.known.set(key, event);
  const touched = world.accounts.get(event.subject ?? '');
  if (touched !== undefined) reckon(touched, world.prices, clock);
  return 'applied';
}

/** E3: what an event is a repeat of; undefined for usage (R2) and ticks. */
function businessId({ body, subject, source, id }: ModelEvent): string | undefined {
  switch (body.type) {
    case 'usage.gpu':
    case 'usage.storage':
    case 'clock.tick':
      return undefined;
    case 'account.opened':
      return JSON.stringify(['account', subject]);
    case 'credits.granted':
      return JSON.stringify(['grant', subject, body.grantId]);
    case 'reservation.purchased':
      return JSON.stringify(['reservation', subject, body.reservationId]);
    default:
      return JSON.stringify(['event', subject, source, id]);
  }
}

/** Carries out an event that is no repeat, or says why not; a refusal changes nothing. */
function act(world: World, account: Account | undefined, event: ModelEvent, clock: number): Verdict {
  const { body, subject } = event;
  if (body.type === 'clock.tick') return 'applied';
  if (body.type === 'prices.published') return publish(world, undefined, body, clock, event.forwarded);
  if (body.type === 'account.opened') {
    if (subject !== undefined) world.accounts.set(subject, openAccount(subject, body.policy));
    return 'applied';
  }
  if (account === undefined) return 'unknown_account';
  switch (body.type) {
    case 'usage.gpu':
    case 'usage.storage':
      return bill(world, account, event, claimOf(account.id, event, body), clock);
    case 'policy.set':
      account.policy = body.policy;
      return 'applied';
    case 'credits.granted': {
      const { amount, grantId, kind, expiresAt } = body;
      if (expiresAt !== undefined && expiresAt <= clock) return 'not_allowed';
      account.movements.push({ kind: 'grant', amount, id: grantId, grantKind: kind, expiresAt });
      enter(world, account, { kind: 'grant', amount, ref: grantId, time: clock, cause: grantId });
      return 'applied';
    }
    case 'reservation.purchased':
      return purchase(world, account, body, clock);
    case 'reservation.extended':
      return extend(world, account, body, event, clock);
    case 'reservation.cancelled':
      return cancel(world, account, body, event, clock);
    case 'cluster.provisioned':
      provision(world, account, body.clusterId, event, clock);
      return 'applied';
    case 'cluster.decommissioned':
      account.provisioned.delete(body.clusterId);
      forget(account, `c/${body.clusterId}`, clock);
      return 'applied';
    case 'volume.decommissioned':
      forget(account, `v/${body.volumeId}`, clock);
      return 'applied';
    case 'volume.created':
      return 'applied';
    case 'contract.priced':
      return publish(world, account.id, body, clock, false);
  }
}

/** E5. `forwarded` prices were judged before. */
function publish(
  world: World,
  accountId: string | undefined,
  { effectiveFrom, gpuHour, gibMonth }: Extract<Body, { gpuHour: unknown }>,
  clock: number,
  forwarded: boolean,
): Verdict {
  const entries: PriceEntry[] = [...gpuHour].map(([gpuType, price]) => ({ accountId, gpuType, effectiveFrom, price }));
  if (gibMonth !== undefined) entries.push({ accountId, gpuType: undefined, effectiveFrom, price: gibMonth });
  if (effectiveFrom < clock && !forwarded) {
    const end = Number.POSITIVE_INFINITY;
    const first = entries.every((e) => priceAt(world.prices, undefined, e.gpuType, end) === undefined);
    if (accountId !== undefined || !first) return 'retroactive_price';
  }
  world.prices.push(...entries);
  return 'applied';
}

/** C6: what a decommission erases of a cluster or volume. */
function forget(account: Account, resource: string, clock: number): void {
  account.decommissionedAt.set(resource, clock);
  account.sightings = account.sightings.filter((s) => s.resource !== resource);
  account.uncoveredSightings = account.uncoveredSightings.filter((s) => s.resource !== resource);
}

function claimOf(accountId: string, event: ModelEvent, body: Extract<Body, { tags: unknown }>): Claim {
  const { start, end, tags } = body;
  const common = { accountId, start, end, tags, event: `${event.source}/${event.id}` };
  if (body.type === 'usage.storage') {
    const { volumeId, sizeGib } = body;
    return {
      ...common,
      resourceKind: 'volume',
      resourceId: volumeId,
      nodeId: undefined,
      gpuType: undefined,
      weight: sizeGib,
    };
  }
  const { clusterId, nodeId, gpuType, gpus } = body;
  return { ...common, resourceKind: 'cluster', resourceId: clusterId, nodeId, gpuType, weight: gpus };
}

/** R: rates what of a sample is not billed yet; C4: a cluster's first usage provisions it before that. */
function bill(world: World, account: Account, event: ModelEvent, claim: Claim, clock: number): Verdict {
  const stretches = stretchesOf(claim, account, world.pieces, world.prices);
  if (stretches === 'no_price') return 'no_price';
  if (stretches.length === 0) return 'duplicate';
  const resource = `${claim.resourceKind === 'cluster' ? 'c' : 'v'}/${claim.resourceId}`;
  const counts = claim.end > (account.decommissionedAt.get(resource) ?? -1);
  if (counts && claim.resourceKind === 'cluster') provision(world, account, claim.resourceId, event, clock);
  const taken = world.pieces.filter(
    (p) => p.claim.accountId === account.id && p.start < claim.end && p.end > claim.start,
  );
  const pieces = stretches.flatMap((stretch) => piecesOf(claim, account, stretch, taken, clock));
  const lines = linesOf(pieces, world.lines);
  const rated = lines.map((line) => line.written);
  world.pieces.push(...pieces);
  world.lines.push(...lines);
  world.rated.push(...rated);
  const amount = lines.reduce((sum, line) => sum + line.amount, 0n);
  charge(world, account, { kind: 'usage', amount, ref: claim.event, time: clock, cause: rated[0]?.line_id ?? '' });
  if (counts) {
    const { nodeId, gpuType, weight: size, end } = claim;
    account.sightings.push({ resource, nodeId, gpuType, size, end, seenAt: clock });
    for (const piece of pieces) {
      if (gpuType === undefined || piece.category === 'reserved') continue;
      account.uncoveredSightings.push({ resource, gpuType, end: piece.end, seenAt: clock });
    }
  }
  return 'applied';
}

/** C4: a cluster comes to be provisioned, and reservations that wait for it are charged. */
function provision(world: World, account: Account, clusterId: string, event: ModelEvent, clock: number): void {
  account.provisioned.add(clusterId);
  const waiting = account.reservations.filter((r) => r.clusterId === clusterId && !r.charged && clock < r.endsAt);
  for (const reservation of waiting.sort((a, b) => (a.id < b.id ? -1 : 1))) {
    chargeSpans(world, account, reservation, reservation.spans, clock, `${event.source}/${event.id}/${reservation.id}`);
  }
}

/** E6, C4. */
function purchase(world: World, account: Account, body: Purchase, clock: number): Verdict {
  const { reservationId: id, clusterId, gpuType, gpus, startsAt, endsAt, price, payment } = body;
  if (startsAt < clock - 24 * hour || endsAt <= clock || endsAt > clock + 1100 * day) return 'not_allowed';
  const spans: Span[] = [{ from: startsAt, to: endsAt, price }];
  const overdraft = body.overdraft ?? false;
  const terms = { id, clusterId, gpuType, gpus, startsAt, endsAt, price, payment, overdraft };
  const reservation: Reservation = { ...terms, charged: false, spans, refunded: 0n };
  if (short(account, reservation, spans, clock)) return 'insufficient_credits';
  account.reservations.push(reservation);
  if (payment === 'upfront' || account.provisioned.has(clusterId)) {
    chargeSpans(world, account, reservation, spans, clock, id);
  }
  return 'applied';
}

function extend(
  world: World,
  account: Account,
  body: Extract<Body, { type: 'reservation.extended' }>,
  event: ModelEvent,
  clock: number,
): Verdict {
  const reservation = account.reservations.find((r) => r.id === body.reservationId);
  if (reservation === undefined || reservation.endsAt <= clock) return 'unknown_reservation';
  if (body.endsAt <= reservation.endsAt || body.endsAt > clock + 1100 * day) return 'not_allowed';
  const from = Math.max(reservation.endsAt, reservation.startsAt);
  const added = from < body.endsAt ? [{ from, to: body.endsAt, price: body.price ?? reservation.price }] : [];
  if (short(account, reservation, added, clock)) return 'insufficient_credits';
  reservation.endsAt = body.endsAt;
  if (reservation.charged) chargeSpans(world, account, reservation, added, clock, `${event.source}/${event.id}`);
  else reservation.spans.push(...added);
  return 'applied';
}

function cancel(
  world: World,
  account: Account,
  body: Extract<Body, { type: 'reservation.cancelled' }>,
  event: ModelEvent,
  clock: number,
): Verdict {
  const reservation = account.reservations.find((r) => r.id === body.reservationId);
  if (reservation === undefined || reservation.endsAt <= clock) return 'unknown_reservation';
  if (body.endsAt > reservation.endsAt) return 'not_allowed';
  const paid = account.reservationCharges.reduce((n, c) => (c.reservation === reservation ? n + c.amount : n), 0n);
  if (reservation.refunded + body.refund > paid) return 'not_allowed';
  const notice = body.decommission === true ? account.policy.shortestEndNotice : 0;
  reservation.endsAt = Math.min(reservation.endsAt, Math.max(body.endsAt, clock + notice));
  const end = reservation.endsAt;
  reservation.spans = reservation.spans.map((s) => ({ ...s, to: Math.min(s.to, end) })).filter((s) => s.from < s.to);
  reservation.refunded += body.refund;
  if (body.refund > 0n) {
    const { refund: amount } = body;
    account.movements.push({
      kind: 'refund',
      amount,
      id: reservation.id,
      grantKind: 'adjustment',
      expiresAt: undefined,
    });
    enter(world, account, {
      kind: 'refund',
      amount,
      ref: reservation.id,
      time: clock,
      cause: `${event.source}/${event.id}`,
    });
  }
  return 'applied';
}

/** C4: `upfront` with a balance below the cost, and no overdraft. */
function short(account: Account, reservation: Reservation, spans: readonly Span[], clock: number): boolean {
  if (reservation.payment !== 'upfront' || reservation.overdraft) return false;
  const cost = pricedSpans(account, reservation, spans, monthOf(clock)).reduce((sum, c) => sum + c.amount, 0n);
  return totals(account).balance < cost;
}

function chargeSpans(
  world: World,
  account: Account,
  reservation: Reservation,
  spans: readonly Span[],
  clock: number,
  cause: string,
): void {
  const charges = pricedSpans(account, reservation, spans, monthOf(clock));
  account.reservationCharges.push(...charges);
  reservation.charged = true;
  const amount = charges.reduce((sum, c) => sum + c.amount, 0n);
  charge(world, account, { kind: 'reservation', amount, ref: reservation.id, time: clock, cause });
}

/** R6 for reservations: each span by what its (reservation, price, month) costs in all, less what was charged for it. */
function pricedSpans(
  account: Account,
  reservation: Reservation,
  spans: readonly Span[],
  month: string,
): ReservationCharge[] {
  const charges: ReservationCharge[] = [];
  for (const { from, to, price } of spans) {
    const quantityMs = BigInt(reservation.gpus) * BigInt(to - from);
    const same = [...account.reservationCharges, ...charges].filter(
      (c) => c.reservation === reservation && c.month === month && formatPrice(c.price) === formatPrice(price),
    );
    const total = same.reduce((sum, c) => sum + c.quantityMs, quantityMs);
    const amount = costOfGpuMs(total, price) - same.reduce((sum, c) => sum + c.amount, 0n);
    charges.push({ reservation, price, month, quantityMs, amount });
  }
  return charges;
}

interface Move {
  kind: LedgerLine['kind'];
  amount: bigint;
  ref: string;
  time: number;
  cause: string;
}

function charge(world: World, account: Account, move: Move): void {
  account.movements.push({ kind: 'charge', amount: move.amount });
  enter(world, account, { ...move, amount: -move.amount });
}

/** C5: writes a movement of the balance down, unless it is 0. */
function enter(world: World, account: Account, { kind, amount, ref, time, cause }: Move): void {
  if (amount === 0n) return;
  const written: LedgerLine = {
    entry_id: `${kind}/${account.id}/${cause}`,
    account_id: account.id,
    time: formatTime(time),
    kind,
    amount: formatAmount(amount),
    ref,
    ...(kind === 'usage' ? {} : { invoice_month: monthOf(time) }),
  };
  world.entries.push({ written, amount });
}

/** C3, C6, X: moves the clock, and carries out every instant up to it in order of time, then account. */
function advance(world: World, to: number): void {
  while (world.clock !== undefined && world.clock < to) {
    const after = world.clock;
    const due = [...world.accounts.values()].map((account) => ({
      account,
      at: Math.min(...instantsOf(account).filter((at) => at > after && at <= to)),
    }));
    const next = Math.min(to, ...due.map(({ at }) => at));
    const now = due.filter(({ at }) => at === next).sort((a, b) => (a.account.id < b.account.id ? -1 : 1));
    for (const { account } of now) {
      expire(world, account, next);
      reckon(account, world.prices, next);
    }
    world.clock = next;
  }
  world.clock = to;
}

/** C3: writes off what is left of the grants that expire now. */
function expire(world: World, account: Account, now: number): void {
  const expiring = account.movements.flatMap((m) => (m.kind === 'grant' && m.expiresAt === now ? [m] : []));
  for (const grant of expiring.sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const amount = leftOfCredits(account).get(grant) ?? 0n;
    account.movements.push({ kind: 'expiry', amount, of: grant });
    enter(world, account, { kind: 'expiry', amount: -amount, ref: grant.id, time: now, cause: grant.id });
  }
}

function report(world: World): ModelOutput {
  const { rated, entries, rejected, applied, duplicates, clock } = world;
  const accounts = [...world.accounts.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const balances = accounts.map((account) => {
    const { balance, granted, refunded, charged, expired } = totals(account);
    return {
      account_id: account.id,
      balance: formatAmount(balance),
      granted: formatAmount(granted),
      refunded: formatAmount(refunded),
      charged: formatAmount(charged),
      expired: formatAmount(expired),
      burn_rate: formatAmount(account.burnRate),
      level: account.exhausted
        ? ('exhausted' as const)
        : account.passed.length > 0
          ? ('low' as const)
          : ('active' as const),
    };
  });
  return {
    rated,
    ledger: entries.map((e) => e.written),
    balances,
    rejected,
    invoices: accounts.flatMap((account) => invoicesOf(account, world.lines, entries, clock ?? 0)),
    summary: {
      events: applied + duplicates + rejected.length,
      applied,
      duplicates,
      rejected: rejected.length,
      clock: clock === undefined ? null : formatTime(clock),
    },
  };
}
