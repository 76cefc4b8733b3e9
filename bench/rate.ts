import avro from 'avsc';
import type { Effects } from '../services/rater/core/account.ts';
import { Partition } from '../services/rater/core/rate.ts';
import type { MeteringEvent } from '../services/shared/contracts/event.ts';
import { parseEvent } from '../services/shared/contracts/parse-event.ts';
import { FLEET, openings, sample } from './fleet.ts';
import { median, perSecond, type Result } from './result.ts';

const ROUNDS = 15;
const WARM_UP = 4;
const MINUTES_A_ROUND = 5;

const SAMPLE = avro.Type.forSchema({
  type: 'record',
  name: 'Sample',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'source', type: 'string' },
    { name: 'subject', type: 'string' },
    { name: 'time', type: 'long' },
    { name: 'cluster_id', type: 'string' },
    { name: 'node_id', type: 'string' },
    { name: 'gpu_type', type: 'string' },
    { name: 'gpus', type: 'int' },
    { name: 'start', type: 'long' },
    { name: 'end', type: 'long' },
  ],
});

/** Claim: rating in memory, in steady state, as a share of what it costs avsc to decode the same samples. */
export function benchRate(): readonly Result[] {
  const partition = new Partition();
  const sink = new Counting();
  for (const event of openings(FLEET)) partition.apply(parsed(event), sink);
  const rates: number[] = [];
  const decodes: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const count = FLEET.nodes * MINUTES_A_ROUND;
    const events = Array.from({ length: count }, (_, index) => parsed(sample(FLEET, round * count + index)));
    const buffers = events.map(encoded);
    const decoded = perSecond(count, () => {
      for (const buffer of buffers) SAMPLE.fromBuffer(buffer);
    });
    const rated = perSecond(count, () => {
      for (const event of events) partition.apply(event, sink);
    });
    if (round < WARM_UP) continue;
    rates.push(rated);
    decodes.push(decoded);
  }
  if (sink.lines < FLEET.nodes * MINUTES_A_ROUND * ROUNDS) throw new Error('not every sample made a line');
  const ratio = median(rates.map((rate, index) => rate / (decodes[index] ?? Number.NaN)));
  return [
    { claim: 'avsc decodes', value: `${Math.round(median(decodes))} samples/s`, aim: '' },
    { claim: 'rate, in memory, 10,000 nodes', value: `${Math.round(median(rates))} samples/s`, aim: '' },
    { claim: 'rate / avsc decode', value: ratio.toFixed(3), aim: '>= 0.15' },
  ];
}

function parsed(value: object): MeteringEvent {
  const event = parseEvent(value, undefined);
  if ('reason' in event) throw new Error(event.detail);
  return event;
}

function encoded({ envelope, body }: MeteringEvent): Buffer {
  if (body.type !== 'usage.gpu') throw new Error(`${body.type} is no sample`);
  return SAMPLE.toBuffer({
    id: envelope.id,
    source: envelope.source,
    subject: envelope.subject,
    time: envelope.time,
    cluster_id: body.clusterId,
    node_id: body.nodeId,
    gpu_type: body.gpuType,
    gpus: body.gpus,
    start: body.start,
    end: body.end,
  });
}

/** Takes what is rated and looks at it, so that nothing of it is optimised away. */
class Counting implements Effects {
  lines = 0;
  nanos = 0n;

  line(line: { amountNanos: bigint }): void {
    this.lines += 1;
    this.nanos += line.amountNanos;
  }

  entry(): void {}
  update(): void {}
  reservationCharge(): void {}
  invoice(): void {}
}
