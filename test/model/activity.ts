import { type Account, holds, type Sighting, type UncoveredSighting } from './account.ts';
import { hour } from './calendar.ts';
import { leftOfCredits, totals } from './credits.ts';
import { compare, floor, fraction, plus, times, zero } from './fraction.ts';
import { type PriceEntry, pricesAt } from './price-book.ts';

const nanosPerUsd = fraction(1_000_000_000n);

/**
 * C6: the instants of an account, past and to come, in no order. Those at which something is so: a grant that has something
 * left, a reservation that holds (one never charged, or cancelled to before its start, has an end only), GPUs that are
 * uncovered until they lapse.
 */
export function instantsOf(account: Account): number[] {
  const window = account.policy.activityWindow;
  const left = leftOfCredits(account);
  const expiries = account.movements.flatMap((m) =>
    m.kind === 'grant' && m.expiresAt !== undefined && left.get(m) !== 0n ? [m.expiresAt] : [],
  );
  const begins = account.reservations.filter((r) => r.charged && r.startsAt < r.endsAt).map((r) => r.startsAt);
  const ends = account.reservations.map((r) => r.endsAt);
  const idle = [...lastSightings(account).values()].map((s) => countsFrom(s) + window);
  const lapses = [...lastUncovered(account)].flatMap(([key, last]) => {
    const at = countsFrom(last) + window;
    return uncovered(account, at - 1).some((u) => u.key === key) ? [at] : [];
  });
  return [...expiries, ...begins, ...ends, ...idle, ...lapses];
}

/** C6, N2, N3: works out burn rate, exhaustion and passed thresholds as of an event or instant of the account. */
export function reckon(account: Account, prices: readonly PriceEntry[], now: number): void {
  const { balance, charged } = totals(account);
  account.burnRate = burnRate(account, prices, now);
  account.exhausted = balance <= 0n && charged > 0n;
  const passed = account.policy.lowRunway.filter((threshold) => {
    if (account.exhausted || account.burnRate === 0n) return false;
    const burned = times(fraction(account.burnRate), fraction(BigInt(threshold), BigInt(hour)));
    const cleared = compare(fraction(balance), times(burned, fraction(11n, 10n))) > 0;
    const reached = balance > 0n && compare(fraction(balance), burned) <= 0;
    return reached || (account.passed.includes(threshold) && !cleared);
  });
  account.passed = passed;
}

/** C6: nanos an hour: uncovered GPUs of each cluster and type, and each active volume rounded down. */
function burnRate(account: Account, prices: readonly PriceEntry[], now: number): bigint {
  let compute = zero;
  for (const { gpuType, gpus } of uncovered(account, now)) {
    const price = pricesAt(prices, account.id, gpuType, now)?.paid ?? zero;
    compute = plus(compute, times(times(nanosPerUsd, price), fraction(BigInt(gpus))));
  }
  let storage = 0n;
  for (const { gpuType, size } of active(account, now)) {
    if (gpuType !== undefined) continue;
    const price = pricesAt(prices, account.id, undefined, now)?.paid ?? zero;
    storage += floor(times(nanosPerUsd, times(fraction(BigInt(size), 730n), price)));
  }
  return floor(compute) + storage;
}

/** C6: the GPUs in use beyond reserved capacity, by cluster and type, where there are any and they have not lapsed. */
function uncovered(account: Account, now: number): { key: string; gpuType: string; gpus: number }[] {
  const found: { key: string; gpuType: string; gpus: number }[] = [];
  for (const [key, last] of lastUncovered(account)) {
    const { resource, gpuType } = last;
    if (now >= countsFrom(last) + account.policy.activityWindow) continue;
    const nodes = active(account, now).filter((s) => s.resource === resource && s.gpuType === gpuType);
    const holding = account.reservations.filter((r) => holds(r, resource.slice(2), gpuType, now));
    const gpus = nodes.reduce((n, s) => n + s.size, 0) - holding.reduce((n, r) => n + r.gpus, 0);
    if (gpus > 0) found.push({ key, gpuType, gpus });
  }
  return found;
}

/** C6: the last samples of the nodes and volumes that are active. */
function active(account: Account, now: number): Sighting[] {
  return [...lastSightings(account).values()].filter((s) => now < countsFrom(s) + account.policy.activityWindow);
}

/** C6: the last sample of each node and volume: greatest end, the first of equals. */
function lastSightings(account: Account): Map<string, Sighting> {
  const last = new Map<string, Sighting>();
  for (const sighting of account.sightings) {
    const key = `${sighting.resource} ${sighting.nodeId ?? ''}`;
    if (sighting.end > (last.get(key)?.end ?? -1)) last.set(key, sighting);
  }
  return last;
}

function lastUncovered(account: Account): Map<string, UncoveredSighting> {
  const last = new Map<string, UncoveredSighting>();
  for (const sighting of account.uncoveredSightings) {
    const key = `${sighting.resource} ${sighting.gpuType}`;
    if (sighting.end > (last.get(key)?.end ?? -1)) last.set(key, sighting);
  }
  return last;
}

/** C6: activity counts from the end, or from the arrival where that was later, but not more than 2 h. */
function countsFrom(sighting: { end: number; seenAt: number }): number {
  return sighting.seenAt <= sighting.end + 2 * hour ? Math.max(sighting.end, sighting.seenAt) : sighting.end;
}
