import { type ModelEvent, readEvent } from '../model/read-event.ts';
import { Books } from './books.ts';
import { CapacityLaw } from './capacity-law.ts';
import { MeterLaw } from './meter-law.ts';
import { type AccountPast, newCluster, type PricedAt } from './past.ts';
import { readPolicy } from './policy.ts';
import { Reservations } from './reservations.ts';
import type { Rated, Rejected } from './rows.ts';
import { Versions } from './versions.ts';

/** What the log says that happened, and the laws of rating that were broken on the way. */
export interface Past {
  readonly accounts: ReadonlyMap<string, AccountPast>;
  readonly prices: readonly PricedAt[];
  /** The clock at the end, `until` included; -1: nothing happened. */
  readonly endsAt: number;
  readonly capacity: CapacityLaw;
  readonly broken: readonly string[];
}

/** Goes through a log and takes what was not rejected for granted: the past is made of that, and of what was rated. */
export function reconstruct(
  lines: readonly string[],
  until: number | undefined,
  rated: readonly Rated[],
  rejected: readonly Rejected[],
): Past {
  const walk = new Walk(rated, rejected);
  for (const [index, text] of lines.entries()) if (text.trim() !== '') walk.line(index + 1, text);
  return walk.end(until);
}

/** E4: reasons of events that do not move the clock. */
const unread = new Set(['malformed', 'unknown_type', 'invalid_field']);

class Walk {
  readonly #accounts = new Map<string, AccountPast>();
  readonly #prices: PricedAt[] = [];
  readonly #seen = new Set<string>();
  readonly #rejected: ReadonlyMap<number, string>;
  readonly #capacity = new CapacityLaw();
  readonly #meters: MeterLaw;
  readonly #reservations: Reservations;
  readonly #broken: string[] = [];
  #account = '';
  #clock = -1;

  constructor(rated: readonly Rated[], rejected: readonly Rejected[]) {
    this.#rejected = new Map(rejected.map(({ line, reason }) => [line, reason]));
    this.#reservations = new Reservations((one, from, to) => this.#capacity.moved(this.#account, one, from, to));
    this.#meters = new MeterLaw(rated, this.#reservations, this.#capacity);
  }

  line(step: number, text: string): void {
    const event = read(text);
    const reason = this.#rejected.get(step);
    if (typeof event === 'string') {
      if (reason !== event) this.#broken.push(`E4: line ${step} is ${event}, and was ${reason ?? 'let in'}`);
      return;
    }
    if (reason !== undefined && unread.has(reason)) {
      this.#broken.push(`E4: line ${step} was ${reason}, and is not`);
      return;
    }
    this.#clock = Math.max(this.#clock, event.time);
    if (reason !== undefined) return;
    const key = businessId(event);
    if (key !== undefined && this.#seen.has(key)) return;
    if (key !== undefined) this.#seen.add(key);
    this.#apply(event, step);
  }

  end(until: number | undefined): Past {
    const endsAt = this.#clock < 0 ? -1 : Math.max(this.#clock, until ?? -1);
    for (const account of this.#accounts.values()) account.books.expireUntil(endsAt);
    const broken = [...this.#broken, ...this.#meters.end()];
    return { accounts: this.#accounts, prices: this.#prices, endsAt, capacity: this.#capacity, broken };
  }

  #apply(event: ModelEvent, step: number): void {
    const clock = this.#clock;
    const { body, subject } = event;
    if (body.type === 'clock.tick') return;
    if (body.type === 'prices.published' || body.type === 'contract.priced') {
      for (const [gpuType, price] of body.gpuHour) this.#price(step, subject, gpuType, body.effectiveFrom, price);
      if (body.gibMonth !== undefined) this.#price(step, subject, undefined, body.effectiveFrom, body.gibMonth);
    }
    if (subject === undefined) return;
    this.#account = subject;
    const account = body.type === 'account.opened' ? this.#open(subject) : this.#accounts.get(subject);
    if (account === undefined) {
      this.#broken.push(`E4: line ${step} was let in for an account that was not opened`);
      return;
    }
    account.books.expireUntil(clock);
    const meter = event.body.type === 'usage.gpu' || event.body.type === 'usage.storage';
    if (meter && !this.#meters.sample(account, event, step, clock)) return;
    if (!meter) this.#control(account, event, step);
    account.steps.push({ step, clock });
    account.books.settle(clock, step);
  }

  #control(account: AccountPast, { body, data }: ModelEvent, step: number): void {
    const clock = this.#clock;
    switch (body.type) {
      case 'account.opened':
      case 'policy.set':
        account.policy.put(step, readPolicy(new Map(Object.entries(Object(data))).get('policy')));
        return;
      case 'credits.granted':
        account.books.grant(body.grantId, body.kind, body.amount, body.expiresAt, clock);
        return;
      case 'reservation.purchased':
        this.#reservations.purchase(account, body, step, clock);
        return;
      case 'reservation.extended':
        this.#reservations.extend(account, body, step, clock);
        return;
      case 'reservation.cancelled':
        this.#reservations.cancel(account, body, step, clock);
        return;
      case 'cluster.provisioned': {
        const cluster = account.clusters.get(body.clusterId) ?? newCluster();
        account.clusters.set(body.clusterId, cluster);
        if (cluster.provisioned.last !== true) this.#reservations.provision(account, body.clusterId, step, clock);
        return;
      }
      case 'cluster.decommissioned':
      case 'volume.decommissioned':
        this.#meters.decommission(account, body, step, clock);
        return;
      default:
        return;
    }
  }

  #open(id: string): AccountPast {
    const account: AccountPast = {
      id,
      steps: [],
      policy: new Versions(),
      reservations: new Map(),
      clusters: new Map(),
      volumes: new Map(),
      books: new Books(),
    };
    this.#accounts.set(id, account);
    return account;
  }

  #price(
    step: number,
    accountId: string | undefined,
    gpuType: string | undefined,
    effectiveFrom: number,
    price: PricedAt['price'],
  ): void {
    this.#prices.push({ step, accountId, gpuType, effectiveFrom, price });
  }
}

function read(text: string): ReturnType<typeof readEvent> {
  try {
    return readEvent(JSON.parse(text));
  } catch {
    return 'malformed';
  }
}

/** E3: what is applied once, for ever; undefined for usage (R2) and ticks. */
function businessId({ body, subject, source, id }: ModelEvent): string | undefined {
  switch (body.type) {
    case 'usage.gpu':
    case 'usage.storage':
    case 'clock.tick':
      return undefined;
    case 'account.opened':
      return JSON.stringify([subject]);
    case 'credits.granted':
      return JSON.stringify([subject, 'grant', body.grantId]);
    case 'reservation.purchased':
      return JSON.stringify([subject, 'reservation', body.reservationId]);
    default:
      return JSON.stringify([subject, 'event', id, source]);
  }
}
