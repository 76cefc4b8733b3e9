import { expect, test } from 'vitest';
import { parseEvent } from '../../../services/shared/contracts/parse-event.ts';
import { TOPICS, type Topic } from '../../../services/shared/topics.ts';
import { recordsOf } from '../../simulation/shared-log.ts';
import { simulate } from '../../simulation/simulate.ts';
import { bytesOf, openWire } from './open.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

test('every record that a whole pipeline writes comes back to the letter, and its events as they are parsed', async () => {
  const { wire } = await openWire();
  const seen = new Map<Topic, number>();
  for (const seed of SEEDS) {
    const { world } = await simulate(seed);
    for (const topic of Object.values(TOPICS)) {
      for (let partition = 0; partition < world.settings.partitions; partition += 1) {
        for (const { value, time } of recordsOf(world.log.disk, topic, partition)) {
          const text = value.toString('utf8');
          const encoded = bytesOf(wire.encode(topic, text));
          expect(wire.decode(topic, encoded)).toBe(text);
          if (topic === TOPICS.events) {
            const decoded = wire.decodeEvent(encoded, time);
            expect(plain(decoded.event)).toEqual(plain(parseEvent(JSON.parse(text), time)));
            expect(decoded.text()).toBe(text);
          }
          if (topic === TOPICS.updates) expect(bytesOf(wire.encodeUpdate(JSON.parse(text)))).toEqual(encoded);
          seen.set(topic, (seen.get(topic) ?? 0) + 1);
        }
      }
    }
  }
  for (const topic of ['events', 'rejected', 'updates', 'alerts', 'compute', 'storage'] as const) {
    expect.soft(seen.get(TOPICS[topic]) ?? 0, topic).toBeGreaterThan(5);
  }
}, 120_000);

/** With what a getter would give as a member of its own. */
function plain(event: ReturnType<typeof parseEvent>): unknown {
  if ('reason' in event) return event;
  const { id, source, subject, time, forwarded, data } = event.envelope;
  return { envelope: { id, source, subject, time, forwarded, data }, body: event.body };
}
