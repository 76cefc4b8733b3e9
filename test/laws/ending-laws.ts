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

/** N6: its cluster is decommissioned, or GPUs in use are burst that no other reservation holds at its end. */
function whatFollows(view: View, reservation: ReservationPast): string {
  const terms = reservation.terms.at(view.step);
  if (terms === undefined || !terms.charged) return 'that it does not hold';
  const end = terms.endsAt;
  const stay = view.capacity(reservation.clusterId, end);
  const begins = [...view.charged(reservation.clusterId)].some(
    ([{ startsAt }, { endsAt }]) => startsAt > end && startsAt <= end + 72 * hour && endsAt > startsAt,
  );
  if (stay.size === 0 && !begins && terms.setBy !== 'cancellation' && reservation.startsAt < end) {
    return sayingOf('decommission', 0);
  }
  const inUse = view.inUse(reservation.clusterId).get(reservation.gpuType) ?? 0;
  const beyond = inUse - (stay.get(reservation.gpuType) ?? 0);
  return beyond > 0 ? sayingOf('burst', beyond) : sayingOf('nothing', 0);
}

function sayingOf(follows: unknown, gpus: number): string {
  return `${String(follows)} of ${gpus}`;
}
