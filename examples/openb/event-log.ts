import { grantEvents, openingEvents, priceEvents } from './accounts.ts';
import { HABITS } from './catalog.ts';
import { controlPlaneEvents } from './control-plane.ts';
import type { LogEvent } from './log-event.ts';
import { planReservations } from './reservations.ts';
import { HOUR_MS, rfc3339, type Window } from './time.ts';
import { usageEvents } from './usage.ts';
import { planVolumes, type Volume } from './volumes.ts';
import type { Fleet } from './workloads.ts';

export interface LogOptions {
  readonly window: Window;
  readonly sampleMs: number;
  readonly reservations: boolean;
}

/**
 * The fleet's whole log in order of time, made event by event: the acts of operators and control plane, the samples of
 * agents, and a tick wherever time would stand still for more than an hour. The same fleet and options give the same
 * events.
 */
export function* eventLog(fleet: Fleet, options: LogOptions): Generator<LogEvent> {
  const { window, sampleMs } = options;
  const volumes = planVolumes(fleet.workloads, window);
  const acts = plannedActs(fleet, volumes, options);
  const usage = usageEvents(fleet.workloads, volumes, sampleMs, window);
  yield* withTicks(merge(acts, usage), window);
}

/** The order of acts of one instant: what is needed first stands first. */
const RANKS: readonly string[] = [
  'prices.published',
  'account.opened',
  'contract.priced',
  'policy.set',
  'credits.granted',
  'volume.created',
  'cluster.provisioned',
  'reservation.purchased',
  'reservation.extended',
  'reservation.cancelled',
  'cluster.decommissioned',
  'volume.decommissioned',
];

function plannedActs(
  { workloads }: Fleet,
  volumes: readonly Volume[],
  { window, sampleMs, reservations }: LogOptions,
): LogEvent[] {
  const plan = reservations ? planReservations(workloads, window) : { reservations: [], events: [] };
  const acts = [
    ...priceEvents(window),
    ...openingEvents([...HABITS.keys()], sampleMs, window),
    ...grantEvents(workloads, volumes, window),
    ...controlPlaneEvents(workloads, plan.reservations, volumes, window),
    ...plan.events,
  ];
  return acts.sort(
    (a, b) => a.at - b.at || RANKS.indexOf(a.type) - RANKS.indexOf(b.type) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
}

/** Two ordered runs as one; at one instant acts come before samples. */
function* merge(acts: readonly LogEvent[], usage: Iterable<LogEvent>): Generator<LogEvent> {
  let index = 0;
  for (const sample of usage) {
    for (let act = acts[index]; act !== undefined && act.at <= sample.at; act = acts[index]) {
      yield act;
      index += 1;
    }
    yield sample;
  }
  yield* acts.slice(index);
}

/** So that what is due is done when it is due, and up to the window's end. */
function* withTicks(events: Iterable<LogEvent>, window: Window): Generator<LogEvent> {
  let clock = window.startAt;
  for (const event of events) {
    for (; event.at - clock > HOUR_MS; clock += HOUR_MS) yield tick(clock + HOUR_MS);
    clock = event.at;
    yield event;
  }
  for (; window.endAt - clock > HOUR_MS; clock += HOUR_MS) yield tick(clock + HOUR_MS);
  if (clock < window.endAt) yield tick(window.endAt);
}

function tick(at: number): LogEvent {
  return { id: `tick:${rfc3339(at)}`, source: 'openb/ingest', type: 'clock.tick', at, data: {} };
}
