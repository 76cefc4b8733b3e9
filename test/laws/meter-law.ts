import type { ModelEvent } from '../model/read-event.ts';
import type { CapacityLaw } from './capacity-law.ts';
import { type AccountPast, type ClusterPast, type MeterPast, newCluster, newMeter, type Seen } from './past.ts';
import type { Reservations } from './reservations.ts';
import type { Rated } from './rows.ts';
import { Versions } from './versions.ts';

const hour = 3_600_000;

/** What a sample says, of a node or of a volume. */
interface Sample {
  readonly nodeId: string | undefined;
  readonly gpuType: string | undefined;
  readonly size: number;
  readonly start: number;
  readonly end: number;
}

/** L8, R6, C5: every sample gives just the lines that bill its milliseconds which none before it has billed. */
export class MeterLaw {
  readonly #rated: readonly Rated[];
  readonly #reservations: Reservations;
  readonly #capacity: CapacityLaw;
  readonly #broken: string[] = [];
  readonly #sums = new Map<string, { quantity: bigint; amount: bigint; listAmount: bigint }>();
  readonly #lineIds = new Set<string>();
  #next = 0;

  constructor(rated: readonly Rated[], reservations: Reservations, capacity: CapacityLaw) {
    this.#rated = rated;
    this.#reservations = reservations;
    this.#capacity = capacity;
  }

  /** Takes a sample that was let in. False: all of it was billed before, so that it changed nothing. */
  sample(account: AccountPast, event: ModelEvent, step: number, clock: number): boolean {
    const { body } = event;
    if (body.type === 'usage.gpu') {
      const cluster = account.clusters.get(body.clusterId) ?? newCluster();
      const node = cluster.nodes.get(body.nodeId) ?? newMeter();
      const parts = node.billed.take(body.start, body.end);
      if (parts.length === 0) return false;
      account.clusters.set(body.clusterId, cluster);
      cluster.nodes.set(body.nodeId, node);
      if (cluster.provisioned.last !== true && body.end > (cluster.goneAt.last ?? -1)) {
        this.#reservations.provision(account, body.clusterId, step, clock);
      }
      const sample = { ...body, size: body.gpus };
      const lines = this.#take(account, event, body.clusterId, sample, parts, clock);
      this.#capacity.rated(account.id, body.clusterId, body.gpuType, body.gpus, parts, lines);
      see(node, cluster.goneAt.last ?? -1, sample, step, clock);
      notePaid(cluster, sample, lines, step, clock);
    } else if (body.type === 'usage.storage') {
      const volume = account.volumes.get(body.volumeId) ?? newMeter();
      const parts = volume.billed.take(body.start, body.end);
      if (parts.length === 0) return false;
      account.volumes.set(body.volumeId, volume);
      const sample = { ...body, size: body.sizeGib, nodeId: undefined, gpuType: undefined };
      this.#take(account, event, body.volumeId, sample, parts, clock);
      see(volume, volume.goneAt.last ?? -1, sample, step, clock);
    }
    return true;
  }

  /** C6: idle at once; what ends later begins anew. */
  decommission(
    account: AccountPast,
    body: { readonly clusterId: string } | { readonly volumeId: string },
    step: number,
    clock: number,
  ): void {
    const idle = { end: clock, seenAt: -1, size: 0, gpuType: undefined };
    if ('volumeId' in body) {
      const volume = account.volumes.get(body.volumeId) ?? newMeter();
      account.volumes.set(body.volumeId, volume);
      volume.goneAt.put(step, clock);
      volume.seen.put(step, idle);
      return;
    }
    const cluster = account.clusters.get(body.clusterId) ?? newCluster();
    account.clusters.set(body.clusterId, cluster);
    cluster.provisioned.put(step, false);
    cluster.goneAt.put(step, clock);
    for (const node of cluster.nodes.values()) node.seen.put(step, idle);
    for (const paid of cluster.paid.values()) paid.put(step, idle);
  }

  /** What was broken, once every sample was taken. */
  end(): readonly string[] {
    const rest = this.#rated.slice(this.#next).map(({ lineId }) => `L8: a line that no sample accounts for: ${lineId}`);
    return [...this.#broken, ...rest];
  }

  /** The lines of a sample: the next ones of the file, up to the quantity that it has to bill. */
  #take(
    account: AccountPast,
    event: ModelEvent,
    resourceId: string,
    sample: Sample,
    parts: readonly (readonly [number, number])[],
    clock: number,
  ): readonly Rated[] {
    const ms = parts.reduce((sum, [from, to]) => sum + to - from, 0);
    const quantity = BigInt(ms) * BigInt(sample.size);
    const name = `${event.source}/${event.id}`;
    const lines: Rated[] = [];
    let [billed, amount] = [0n, 0n];
    while (billed < quantity) {
      const line = this.#rated[this.#next];
      const own =
        line?.event === name &&
        line.accountId === account.id &&
        line.resourceId === resourceId &&
        line.nodeId === sample.nodeId &&
        line.sku === (sample.gpuType ?? 'storage');
      if (line === undefined || !own) break;
      this.#next += 1;
      lines.push(line);
      billed += line.quantity;
      amount += line.amount;
      this.#check(line, parts);
    }
    if (billed !== quantity) this.#broken.push(`L8: ${name} of ${resourceId} bills ${billed} of ${quantity}`);
    account.books.charge('usage', name, amount, clock);
    return lines;
  }

  #check(line: Rated, parts: readonly (readonly [number, number])[]): void {
    const { lineId, start, end, quantity, amount, listAmount, unitPrice, listPrice } = line;
    const starts = parts.some(([from, to]) => from <= start && start < to);
    const ends = parts.some(([from, to]) => from < end && end <= to);
    if (!starts || !ends) this.#broken.push(`L8: ${lineId} bills what was billed before, or what no sample says`);
    if (Math.floor(start / hour) !== Math.floor((end - 1) / hour)) this.#broken.push(`R7: ${lineId} spans hours`);
    if (this.#lineIds.has(lineId)) this.#broken.push(`R7: line id twice: ${lineId}`);
    this.#lineIds.add(lineId);
    const sum = this.#sums.get(line.sumKey) ?? { quantity: 0n, amount: 0n, listAmount: 0n };
    this.#sums.set(line.sumKey, sum);
    sum.quantity += quantity;
    sum.amount += amount;
    sum.listAmount += listAmount;
    const divisor = line.kind === 'cluster' ? 3600n : 2_628_000n;
    if (sum.amount !== (sum.quantity * unitPrice) / divisor) this.#broken.push(`R6: amounts at ${lineId}`);
    if (sum.listAmount !== (sum.quantity * listPrice) / divisor) this.#broken.push(`R6: list amounts at ${lineId}`);
  }
}

/** C6: the sample with the greatest end counts, the first of equals; of what was decommissioned, only what ends later. */
function see(meter: MeterPast, goneAt: number, { end, size, gpuType }: Sample, step: number, clock: number): void {
  if (end <= goneAt || end <= (meter.seen.last?.end ?? -1)) return;
  meter.seen.put(step, { end, seenAt: seenAt(end, clock), size, gpuType });
}

/** C6: the greatest end of what was rated burst or on_demand. */
function notePaid(
  cluster: ClusterPast,
  { gpuType }: Sample,
  lines: readonly Rated[],
  step: number,
  clock: number,
): void {
  const end = Math.max(...lines.filter(({ category }) => category !== 'reserved').map((line) => line.end));
  if (gpuType === undefined || end === Number.NEGATIVE_INFINITY || end <= (cluster.goneAt.last ?? -1)) return;
  const paid = cluster.paid.get(gpuType) ?? new Versions<Seen>();
  cluster.paid.set(gpuType, paid);
  if (end > (paid.last?.end ?? -1)) paid.put(step, { end, seenAt: seenAt(end, clock), size: 0, gpuType });
}

/** C6: the window counts from the end of a sample, or from when it came, if that was at most 2 h after its end. */
function seenAt(end: number, clock: number): number {
  return clock - end <= 2 * hour ? Math.max(end, clock) : end;
}
