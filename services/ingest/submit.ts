import { assertNever } from '../shared/assert-never.ts';
import { PARTITION_OF_PRICES, partitionOf } from '../shared/partition.ts';
import type { Instant } from '../shared/time.ts';
import { type Accepted, type AcceptRules, accept, type Refused, refuseUnread } from './core/accept.ts';
import type { Sender } from './core/permissions.ts';
import type { EventSink, Position, RejectedRecord, SinkRecord } from './ports.ts';
import { Problem } from './problems.ts';

/** Events as they came in, in their order. */
export interface Delivery {
  readonly events: readonly DeliveredEvent[];
  /** What was sent for an event, exactly; asked for only if it is refused. */
  sent(index: number): SentEvent;
}

export type DeliveredEvent =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'fault'; readonly detail: string };
export type SentEvent = RejectedRecord['event'];

export interface SubmitRules extends AcceptRules {
  /** Of an event that was refused, so much is kept. */
  readonly recordCharsMax: number;
}

/** What became of each event; the i-th stands for the i-th. */
export type Submitted = (Accepted & { readonly position: Position }) | Refused;

/**
 * Judges each event on its own, appends those that are let in, in order and by partition, keeps the others in
 * `metering.rejected`, and resolves once all of it is durable. Sending the same again does no harm (E3, R2).
 * @throws Problem `log_busy` if the log's backlog is full, `log_failed` if the sink fails; some of it may have been written
 */
export async function submit(
  sink: EventSink,
  sender: Sender,
  delivery: Delivery,
  rules: SubmitRules,
  receivedAt: Instant,
): Promise<readonly Submitted[]> {
  const judged = delivery.events.map((event) =>
    event.kind === 'value' ? accept(event.value, sender, rules) : refuseUnread(event.detail),
  );
  const positions = await append(sink, judged);
  const rejected: RejectedRecord[] = [];
  for (const [index, verdict] of judged.entries()) {
    if (verdict.kind === 'refused') rejected.push(toKeep(verdict, delivery.sent(index), sender, rules, receivedAt));
  }
  await keep(sink, rejected);
  return judged.map((verdict, index): Submitted => {
    const position = positions[index];
    return verdict.kind === 'refused' || position === undefined ? refusedOnly(verdict) : { ...verdict, position };
  });
}

/** How many events had which outcome: `accepted`, or the reason of a refusal. */
export function countOutcomes(submitted: readonly Submitted[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const event of submitted) {
    const outcome = event.kind === 'refused' ? event.reason : event.kind;
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  return counts;
}

/** Writes what was refused, and resolves once it is durable. */
export async function keep(sink: EventSink, rejected: readonly RejectedRecord[]): Promise<void> {
  if (rejected.length === 0) return;
  const outcome = await orLogFailed(sink.reject(rejected));
  if (outcome.kind === 'busy') throw logBusy(outcome.retryAfterMs);
}

/** A refused event as it is kept: whole, or its beginning if it is longer than any event may be. */
export function toKeep(
  refused: Refused,
  event: SentEvent,
  sender: Sender,
  rules: SubmitRules,
  receivedAt: Instant,
): RejectedRecord {
  const { reason, detail, account } = refused;
  const whole = event.text.length <= rules.recordCharsMax;
  const kept: SentEvent = whole
    ? event
    : { encoding: cutEncoding(event), text: event.text.slice(0, rules.recordCharsMax) };
  return { account, reason, detail, event: kept, truncated: !whole, sentBy: sender.keyId, receivedAt };
}

/** The beginning of a JSON text is no JSON. */
function cutEncoding(event: SentEvent): SentEvent['encoding'] {
  return event.encoding === 'json' ? 'text' : event.encoding;
}

/** E1: an account's events go to its partition in one append, prices to theirs, a tick to all. */
async function append(
  sink: EventSink,
  judged: readonly (Accepted | Refused)[],
): Promise<readonly (Position | undefined)[]> {
  const groups = new Map<number, { readonly records: SinkRecord[]; readonly indexes: number[] }>();
  for (const [index, event] of judged.entries()) {
    if (event.kind !== 'accepted') continue;
    for (const partition of partitionsOf(event, sink.partitions)) {
      let group = groups.get(partition);
      if (group === undefined) {
        group = { records: [], indexes: [] };
        groups.set(partition, group);
      }
      group.records.push({ account: event.account, at: event.at, text: event.text });
      group.indexes.push(index);
    }
  }
  const positions = new Array<Position | undefined>(judged.length).fill(undefined);
  await Promise.all(
    [...groups].map(async ([partition, { records, indexes }]) => {
      const outcome = await orLogFailed(sink.append(partition, records));
      switch (outcome.kind) {
        case 'busy':
          throw logBusy(outcome.retryAfterMs);
        case 'appended':
          for (const [at, index] of indexes.entries()) {
            positions[index] ??= { partition, offset: outcome.firstOffset + at };
          }
          return;
        default:
          assertNever(outcome);
      }
    }),
  );
  return positions;
}

function partitionsOf(event: Accepted, partitions: number): readonly number[] {
  if (event.account !== undefined) return [partitionOf(event.account, partitions)];
  return event.type === 'clock.tick' ? Array.from({ length: partitions }, (_, at) => at) : [PARTITION_OF_PRICES];
}

function refusedOnly(verdict: Accepted | Refused): Refused {
  if (verdict.kind === 'refused') return verdict;
  throw new Error(`event ${verdict.id} was let in, but has no position in the log`);
}

function logBusy(retryAfterMs: number): Problem {
  return new Problem('log_busy', 'the log takes no more until its backlog is smaller', retryAfterMs);
}

async function orLogFailed<Outcome>(pending: Promise<Outcome>): Promise<Outcome> {
  try {
    return await pending;
  } catch (cause) {
    throw new Problem('log_failed', 'the log did not take it; whether it was written is unknown', 1000, { cause });
  }
}
