import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startDoor } from '../../services/ingest/server.ts';
import { bearer, configWith, depsWith, MemorySink, usage } from '../ingest/harness.ts';
import { UnevenSink } from './uneven-sink.ts';
import { fuzzWire } from './wire-door.ts';

/** `TOLLGATE_RUNS=100000 npx vitest run test/fuzz/wire-door.test.ts` runs longer; TOLLGATE_SEED begins elsewhere. */
const INPUTS = Number(process.env.TOLLGATE_RUNS ?? 1500);
const SEED = Number(process.env.TOLLGATE_SEED ?? 1);

describe('the HTTP door on the wire', () => {
  it(
    `E4: loses nothing and never crashes: ${INPUTS} connections from seed ${SEED}`,
    async () => {
      const { statuses, told, logged, rejected } = await fuzzWire(SEED, INPUTS);
      const counts = [...statuses].sort(([, a], [, b]) => b - a).map(([status, count]) => `${status}: ${count}`);
      process.stdout.write(
        `fuzz of the wire, seed ${SEED}: ${INPUTS} connections, ${told} events told to be in the log, ${logged} there ` +
          `(clients that left before the answer have sent the others), ${rejected} rejected; ${counts.join(', ')}\n`,
      );
      expect(told).toBeGreaterThan(INPUTS / 2);
      expect(logged).toBeGreaterThanOrEqual(told);
      expect(rejected).toBeGreaterThan(INPUTS / 100);
      for (const status of ['202', '400', '404', '431']) expect([...statuses.keys()]).toContain(status);
    },
    60_000 + INPUTS * 20,
  );

  it.each([
    ['loses', 0],
    ['writes twice', 2],
  ])('is caught by this fuzzer if its log %s one record in a thousand', async (_, times) => {
    await expect(fuzzWire(SEED, 1500, new UnevenSink(times))).rejects.toThrow(/is [02] times in the log/);
  });

  it('stands a flood of connections, and takes what comes after it', async () => {
    const sink = new MemorySink();
    const door = await startDoor(depsWith(sink), configWith({ stopGraceMs: 0, connectionsMax: 40 }));
    try {
      for (let flood = 0; flood < 3; flood += 1) {
        const sockets = Array.from({ length: 200 }, () => connect(Number(new URL(door.url).port), '127.0.0.1'));
        for (const socket of sockets)
          socket.on('error', () => undefined).write('POST /v1/events HTTP/1.1\r\nHost: x\r\n');
        await Promise.all(sockets.slice(40).map(closed));
        for (const socket of sockets) socket.destroy();
        await expect.poll(() => send(door.url, `after-${flood}`), { timeout: 10_000 }).toBe(202);
      }
      expect(sink.texts).toHaveLength(3);
    } finally {
      await door.stop();
    }
  });
});

function closed(socket: ReturnType<typeof connect>): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve));
}

async function send(url: string, id: string): Promise<number | undefined> {
  const headers = { ...bearer('operator'), 'content-type': 'application/json' };
  const answer = await fetch(new URL('/v1/events', url), {
    method: 'POST',
    headers,
    body: JSON.stringify(usage(id)),
  }).catch(() => undefined);
  return answer?.status;
}
