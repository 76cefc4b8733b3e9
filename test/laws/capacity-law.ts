import type { Span } from './intervals.ts';
import type { ReservationPast } from './past.ts';
import type { Rated } from './rows.ts';

const hour = 3_600_000;

/** GPU-milliseconds by category. */
type Bill = Record<'reserved' | 'burst' | 'on_demand', number>;

/** A cluster's GPUs of one type: what was accepted, what was billed, and which reservations there were. */
interface Pool {
  readonly parts: { readonly from: number; readonly to: number; readonly gpus: number }[];
  /** What was billed, by UTC hour (a line lies in one: R7). */
  readonly billed: Map<number, Bill>;
  readonly reservations: Set<ReservationPast>;
  /** Hours of which something was rated before its capacity changed: R4 leaves it as it was. */
  readonly changedAfter: Set<number>;
}

/** L9, R4: where reservations do not change after the fact, the GPUs billed as reserved are those that fit the capacity. */
export class CapacityLaw {
  readonly #pools = new Map<string, Pool>();
  /** How many stretches of time between two changes were checked, and how many hours were left out. */
  readonly checked = { instants: 0, reservedInstants: 0, hours: 0, hoursLeftOut: 0 };

  rated(
    accountId: string,
    clusterId: string,
    gpuType: string,
    gpus: number,
    parts: readonly Span[],
    lines: readonly Rated[],
  ): void {
    const pool = this.#pool(accountId, clusterId, gpuType);
    for (const [from, to] of parts) pool.parts.push({ from, to, gpus });
    for (const { category, start, quantity } of lines) {
      const bill = billOf(pool, Math.floor(start / hour));
      if (category === 'reserved' || category === 'burst' || category === 'on_demand')
        bill[category] += Number(quantity);
    }
  }

  moved(accountId: string, reservation: ReservationPast, from: number, to: number): void {
    const pool = this.#pool(accountId, reservation.clusterId, reservation.gpuType);
    pool.reservations.add(reservation);
    for (const part of pool.parts) {
      const end = Math.min(to, part.to);
      for (let at = Math.max(from, part.from); at < end; at = (Math.floor(at / hour) + 1) * hour) {
        pool.changedAfter.add(Math.floor(at / hour));
      }
    }
  }

  /** Sweeps every pool, hour by hour. */
  check(): readonly string[] {
    const broken: string[] = [];
    for (const [name, pool] of this.#pools) {
      const expected = this.#sweep(pool);
      for (const at of new Set([...expected.keys(), ...pool.billed.keys()])) {
        if (pool.changedAfter.has(at)) {
          this.checked.hoursLeftOut += 1;
          continue;
        }
        this.checked.hours += 1;
        const [want, got] = [expected.get(at), pool.billed.get(at)].map((bill) => JSON.stringify(bill ?? noBill()));
        if (want !== got)
          broken.push(`L9: ${name} in the hour of ${new Date(at * hour).toISOString()}: ${got} instead of ${want}`);
      }
    }
    return broken;
  }

  /** What R4 makes of the GPUs in use, by hour. */
  #sweep(pool: Pool): Map<number, Bill> {
    const changes = new Map<number, { inUse: number; capacity: number; holding: number }>();
    const change = (at: number, inUse: number, capacity: number, holding: number) => {
      const sum = changes.get(at) ?? { inUse: 0, capacity: 0, holding: 0 };
      changes.set(at, {
        inUse: sum.inUse + inUse,
        capacity: sum.capacity + capacity,
        holding: sum.holding + holding,
      });
    };
    for (const { from, to, gpus } of pool.parts) {
      change(from, gpus, 0, 0);
      change(to, -gpus, 0, 0);
    }
    for (const { terms, startsAt, gpus } of pool.reservations) {
      const last = terms.last;
      if (last === undefined || !last.charged || last.endsAt <= startsAt) continue;
      change(startsAt, 0, gpus, 1);
      change(last.endsAt, 0, -gpus, -1);
    }
    const expected = new Map<number, Bill>();
    const now = { inUse: 0, capacity: 0, holding: 0 };
    const instants = [...changes.keys()].sort((left, right) => left - right);
    for (const [index, at] of instants.entries()) {
      const { inUse = 0, capacity = 0, holding = 0 } = changes.get(at) ?? {};
      now.inUse += inUse;
      now.capacity += capacity;
      now.holding += holding;
      if (now.inUse === 0) continue;
      this.checked.instants += 1;
      if (now.holding > 0) this.checked.reservedInstants += 1;
      const until = instants[index + 1] ?? at;
      for (let from = at; from < until; ) {
        const to = Math.min(until, (Math.floor(from / hour) + 1) * hour);
        const bill = expected.get(Math.floor(from / hour)) ?? noBill();
        expected.set(Math.floor(from / hour), bill);
        const reserved = Math.min(now.inUse, now.capacity);
        bill.reserved += reserved * (to - from);
        bill[now.holding > 0 ? 'burst' : 'on_demand'] += (now.inUse - reserved) * (to - from);
        from = to;
      }
    }
    return expected;
  }

  #pool(accountId: string, clusterId: string, gpuType: string): Pool {
    const name = `${accountId}/${clusterId}/${gpuType}`;
    const pool = this.#pools.get(name) ?? {
      parts: [],
      billed: new Map(),
      reservations: new Set(),
      changedAfter: new Set(),
    };
    this.#pools.set(name, pool);
    return pool;
  }
}

function billOf(pool: Pool, at: number): Bill {
  const bill = pool.billed.get(at) ?? noBill();
  pool.billed.set(at, bill);
  return bill;
}

function noBill(): Bill {
  return { reserved: 0, burst: 0, on_demand: 0 };
}
