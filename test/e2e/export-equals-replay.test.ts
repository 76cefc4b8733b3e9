import { afterEach, expect, test } from 'vitest';
import { randomFrom } from '../histories/random.ts';
import {
  exportAndReplay,
  firstDifference,
  type Instance,
  removeFolder,
  startInstance,
  temporaryFolder,
} from './support/embedded.ts';
import { mergedHistories } from './support/histories.ts';

let folder = '';
let instance: Instance | undefined;

afterEach(async () => {
  await instance?.stop();
  instance = undefined;
  removeFolder(folder);
});

test.each([1, 2, 3])(
  'L10: random histories %i, sent by the door, are exported as a replay of the log writes them',
  async (round) => {
    const random = randomFrom(round);
    const seeds = Array.from({ length: 25 }, (_, index) => round * 1000 + index);
    const lines = mergedHistories(seeds);
    folder = temporaryFolder();
    instance = await startInstance(folder, 'event', Date.now);
    let sent = 0;
    let accepted = 0;
    while (sent < lines.length) {
      const batch = lines.slice(sent, sent + random.int(1, 200));
      accepted += (await instance.post(batch)).accepted;
      sent += batch.length;
    }
    const { exported, replayed, end } = await exportAndReplay(instance.access(), folder);
    expect(end).toBe(accepted);
    expect(firstDifference(exported, replayed)).toBeUndefined();
    expect(exported.size).toBe(7);
  },
  120_000,
);

test('X: what comes due at an instant waits for every account that has one there, whatever the batches', async () => {
  const at = (minutes: number) => Date.UTC(2026, 4, 4, 10) + minutes * 60_000;
  const event = (minutes: number, id: string, type: string, subject: string | undefined, data: object) =>
    JSON.stringify({
      specversion: '1.0',
      id,
      source: 'ops',
      type,
      ...(subject === undefined ? {} : { subject }),
      time: at(minutes),
      data,
    });
  const reservation = (starts: number) => ({
    reservation_id: 'r',
    cluster_id: 'c',
    gpu_type: 'H100',
    gpus: 8,
    starts_at: at(starts),
    ends_at: at(starts + 6000),
    price_per_gpu_hour: '1',
    payment: 'upfront',
    overdraft: true,
  });
  const usage = { cluster_id: 'c', node_id: 'n', gpu_type: 'H100', gpus: 8 };
  const lines = [
    event(0, 'p', 'prices.published', undefined, { effective_from: at(0), gpu_hour: { H100: '3' } }),
    event(0, 'a', 'account.opened', 'a', {}),
    event(0, 'b', 'account.opened', 'b', { policy: { activity_window: '2h' } }),
    event(60, 'u', 'usage.gpu', 'b', { ...usage, start: at(0), end: at(60) }),
    // b is exhausted at 60, and its cluster would be paused at 120: when its reservation, and that of a, begins.
    event(61, 'ra', 'reservation.purchased', 'a', reservation(120)),
    event(61, 'rb', 'reservation.purchased', 'b', reservation(120)),
    event(121, 't', 'clock.tick', undefined, {}),
  ];
  folder = temporaryFolder();
  instance = await startInstance(folder, 'event', Date.now);
  await instance.post(lines);
  const { exported, replayed } = await exportAndReplay(instance.access(), folder);
  expect(firstDifference(exported, replayed)).toBeUndefined();
  expect(replayed.get('commands.ndjson')).toContain('"alert":"credits_exhausted"');
  expect(replayed.get('commands.ndjson')).not.toMatch(/"command":"pause","account_id"/);
}, 60_000);
