import { parseTime } from '../model/calendar.ts';
import { checkFollowUps, checkReserved } from './ending-laws.ts';
import type { AccountPast, ReservationPast, View } from './past.ts';
import type { Command } from './rows.ts';
import { viewBefore } from './views.ts';

const hour = 3_600_000;

/** N6, N10, N3, N5: alerts, decommissions and resumptions that follow from the log alone, each of them and no other. */
export function checkNotices(account: AccountPast, commands: readonly Command[], endsAt: number): readonly string[] {
  return [
    ...checkEpisodes(account, commands),
    ...checkExpiring(account, commands, endsAt),
    ...checkEnding(account, commands, endsAt),
    ...checkEnds(account, commands, endsAt),
    ...checkFollowUps(account, commands),
    ...checkReserved(account, commands, endsAt),
  ];
}

/** N3, N5: an episode begins and ends just when the books say so. */
function checkEpisodes(account: AccountPast, commands: readonly Command[]): readonly string[] {
  const got = commands
    .filter(({ alert }) => alert === 'credits_exhausted' || alert === 'credits_restored')
    .map(({ alert, at }) => `${alert === 'credits_exhausted'}@${at}`);
  const want = account.books.transitions.map(({ exhausted, at }) => `${exhausted}@${at}`);
  return got.join() === want.join() ? [] : [`N3: ${account.id}: exhausted ${got.join()} instead of ${want.join()}`];
}

/** N10: at each of `credit_expiry_notices` before a grant with something left expires; those that are past, at once. */
function checkExpiring(account: AccountPast, commands: readonly Command[], endsAt: number): readonly string[] {
  const broken: string[] = [];
  for (const grant of account.books.expiring) {
    const { ref, grantedAt, expiresAt, emptyAt } = grant;
    const until = Math.min(expiresAt, emptyAt ?? expiresAt, endsAt);
    const notices = sameThroughout(account, grantedAt, until, ({ creditExpiryNotices }) => creditExpiryNotices);
    if (notices === undefined) continue;
    const want = new Set(notices.map((ms) => Math.max(expiresAt - ms, grantedAt)).filter((at) => at <= until));
    const got = commands.filter(({ alert, resourceId }) => alert === 'credits_expiring' && resourceId === ref);
    broken.push(
      ...difference(
        `N10: ${account.id} grant ${ref}`,
        [...want],
        got.map(({ at }) => at),
      ),
    );
  }
  return broken;
}

/** N6: likewise before the end of a reservation that will hold, as it stood from one event that set it to the next. */
function checkEnding(account: AccountPast, commands: readonly Command[], endsAt: number): readonly string[] {
  const broken: string[] = [];
  for (const reservation of account.reservations.values()) {
    const own = commands.filter(
      ({ alert, resourceId }) => alert === 'reservation_ending' && resourceId === reservation.id,
    );
    const terms = reservation.terms.all;
    const got = own.map(({ at }) => at);
    const want = new Set<number>();
    let known = true;
    for (const [index, { endsAt: end, charged, setAt }] of terms.entries()) {
      const replacedAt = terms[index + 1]?.setAt ?? Number.POSITIVE_INFINITY;
      if (!charged || end <= reservation.startsAt || end <= setAt) continue;
      const until = Math.min(replacedAt, end, endsAt);
      const notices = sameThroughout(account, setAt, until, ({ reservationEndNotices }) => reservationEndNotices);
      if (notices === undefined) known = false;
      for (const ms of notices ?? []) {
        const at = Math.max(end - ms, setAt);
        if (at <= until) want.add(at);
      }
    }
    if (known)
      broken.push(...difference(`N6: ${account.id} reservation ${reservation.id}`, [...want], [...new Set(got)]));
    for (const command of own) {
      const says = parseTime(command.detail.get('ends_at'));
      const ends = terms.filter(({ charged, setAt }) => charged && setAt <= command.at).map(({ endsAt: end }) => end);
      if (says === undefined || !ends.includes(says)) broken.push(`N6: ${command.id} says that it ends at ${says}`);
    }
  }
  return broken;
}

/** N6: which ends decommission a cluster, each once, at the end, by the lowest id. */
function checkEnds(account: AccountPast, commands: readonly Command[], endsAt: number): readonly string[] {
  const want = new Map<string, ReservationPast>();
  for (const reservation of [...account.reservations.values()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const end = reservation.terms.last?.endsAt ?? Number.POSITIVE_INFINITY;
    const view = end > endsAt ? undefined : viewBefore(account, end);
    const key = `cluster/${reservation.clusterId}@${end}`;
    if (view !== undefined && !want.has(key) && decommissions(reservation, view)) want.set(key, reservation);
  }
  const broken: string[] = [];
  for (const command of commands) {
    if (command.reason !== 'reservation_ended' || command.attempt > 1) continue;
    const key = `${command.key}@${command.at}`;
    const reservation = want.get(key);
    want.delete(key);
    if (reservation === undefined) {
      broken.push(`N6: no end of a reservation leads to ${command.id}`);
      continue;
    }
    const notice = commands.find(({ id }) => id === command.noticeId);
    if (notice?.resourceId !== reservation.id || parseTime(notice.detail.get('ends_at')) !== command.at)
      broken.push(`N6: the notice of ${command.id} is not of the end of ${reservation.id}`);
  }
  for (const key of want.keys()) broken.push(`N6: ${account.id}: no decommission of ${key}`);
  return broken;
}

/** N6: it had started and was charged, no plain cancellation set its end, nothing follows within 72 h, and the cluster exists. */
function decommissions(reservation: ReservationPast, view: View): boolean {
  const terms = reservation.terms.at(view.step);
  if (terms === undefined || !terms.charged || terms.setBy === 'cancellation') return false;
  if (terms.endsAt !== view.at || reservation.startsAt >= view.at) return false;
  if (view.account.clusters.get(reservation.clusterId)?.provisioned.at(view.step) !== true) return false;
  for (const [other, { endsAt }] of view.charged(reservation.clusterId)) {
    if (other === reservation || endsAt <= Math.max(other.startsAt, view.at)) continue;
    if (other.startsAt <= view.at + 72 * hour) return false;
  }
  return true;
}

/** A setting of the policy, if it was the same from one instant to the other; undefined: it was not. */
function sameThroughout(
  account: AccountPast,
  from: number,
  to: number,
  setting: (policy: View['policy']) => readonly number[],
): readonly number[] | undefined {
  const steps = account.steps.filter(({ clock }) => clock >= from && clock <= to).map(({ step }) => step);
  const first = account.steps.findLast(({ clock }) => clock < from)?.step;
  const settings = [...(first === undefined ? [] : [first]), ...steps].map((step) => {
    const policy = account.policy.at(step);
    return policy === undefined ? [] : setting(policy);
  });
  const sorted = settings.map((times) => [...times].sort((a, b) => a - b).join());
  return sorted.every((times) => times === sorted[0]) ? settings[0] : undefined;
}

function difference(name: string, want: readonly number[], got: readonly number[]): readonly string[] {
  const [wanted, had] = [want, got].map((times) =>
    [...times]
      .sort((a, b) => a - b)
      .map((at) => new Date(at).toISOString())
      .join(),
  );
  return wanted === had ? [] : [`${name}: alerts at ${had} instead of ${wanted}`];
}
