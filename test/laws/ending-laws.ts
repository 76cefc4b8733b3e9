import type { AccountPast, ReservationPast, View } from './past.ts';
import type { Command } from './rows.ts';
import { viewsAt } from './views.ts';

const hour = 3_600_000;

/** N6: what an alert before a reservation's end says will follow it, as things stood when it was sent. */
export function checkFollowUps(account: AccountPast, commands: readonly Command[]): readonly string[] {
  const broken: string[] = [];
  for (const command of commands) {
    const reservation = account.reservations.get(command.resourceId);
    if (command.alert !== 'reservation_ending' || reservation === undefined) continue;
    const said = sayingOf(command.detail.get('follows'), Number(command.detail.get('burst_gpus') ?? 0));
    const may = viewsAt(account, command.at).map((view) => whatFollows(view, reservation));
    if (!may.includes(said)) broken.push(`N6: it says ${said} instead of ${may.join(' or ')}: ${command.id}`);
  }
  return broken;
}

/** N5: a cluster that was ordered to pause, or off, is resumed at the instant at which a reservation of it comes to hold. */
export function checkReserved(account: AccountPast, commands: readonly Command[], endsAt: number): readonly string[] {
  const broken: string[] = [];
  const starts = [...account.reservations.values()].map(({ startsAt }) => startsAt);
  const times = [...account.steps.map(({ clock }) => clock), ...starts].filter((time) => time <= endsAt);
  for (const order of commands) {
    const { key, at, scope, command, attempt, resourceId, index } = order;
    if (scope !== 'cluster' || command === 'resume' || attempt > 1) continue;
    const next = commands.find(
      (one) => one.index > index && one.key === key && one.scope !== undefined && one.attempt === 1,
    );
    const gone = account.clusters.get(resourceId)?.goneAt.all.find((clock) => clock >= at);
    const until = Math.min(next?.at ?? Number.POSITIVE_INFINITY, gone ?? Number.POSITIVE_INFINITY);
    // After the last event of an instant, what it led to has been carried out.
    const late = times.find(
      (time) => time > at && time < until && viewsAt(account, time).at(-1)?.holds(resourceId) === true,
    );
    if (late !== undefined)
      broken.push(`N5: a reservation holds, and ${order.id} stands at ${new Date(late).toISOString()}`);
  }
  return broken;
}

/** N6: its cluster is decommissioned, or GPUs in use are burst that no other reservation holds at its end. */
function whatFollows(view: View, reservation: ReservationPast): string {
  const terms = reservation.terms.at(view.step);
  if (terms === undefined || !terms.charged) return 'that it does not hold';
  const end = terms.endsAt;
  const stay = view.capacity(reservation.clusterId, end);
  const begins = [...view.charged(reservation.clusterId)].some(
    ([{ startsAt }, { endsAt }]) => startsAt > end && startsAt <= end + 72 * hour && endsAt > startsAt,
  );
  const removes = [...view.charged(reservation.clusterId)].some(
    ([{ startsAt }, { endsAt, setBy }]) => endsAt === end && startsAt < end && setBy !== 'cancellation',
  );
  if (stay.size === 0 && !begins && removes) {
    return sayingOf('decommission', 0);
  }
  const inUse = view.inUse(reservation.clusterId).get(reservation.gpuType) ?? 0;
  const beyond = inUse - (stay.get(reservation.gpuType) ?? 0);
  return beyond > 0 ? sayingOf('burst', beyond) : sayingOf('nothing', 0);
}

function sayingOf(follows: unknown, gpus: number): string {
  return `${String(follows)} of ${gpus}`;
}
