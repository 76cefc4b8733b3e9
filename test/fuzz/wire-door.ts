import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { startDoor } from '../../services/ingest/server.ts';
import { configWith, depsWith, MemorySink } from '../ingest/harness.ts';
import { Random } from './random.ts';
import { type WireInput, wireInput } from './wire-input.ts';

/** What a run over many connections has seen. */
export interface WireReport {
  readonly statuses: ReadonlyMap<string, number>;
  /** Events whose acceptance was told, events in the log, and refusals kept. */
  readonly told: number;
  readonly logged: number;
  readonly rejected: number;
}

const AT_ONCE = 24;
const ANSWER_MS = 20_000;

/**
 * Connects that often to a door that listens, and checks that nothing crashes (no 5xx, no unhandled rejection), that what
 * was told to be accepted is in the log, once, that what was broken off is not, and that the room in flight comes back.
 * @throws Error that names the seed and the connection
 */
export async function fuzzWire(seed: number, inputs: number, sink: MemorySink = new MemorySink()): Promise<WireReport> {
  const deps = depsWith(sink);
  const door = await startDoor(deps, configWith({ stopGraceMs: 0, headersTimeoutMs: 5000, requestTimeoutMs: 10_000 }));
  const port = Number(new URL(door.url).port);
  const random = new Random(seed);
  const unhandled: unknown[] = [];
  const note = (fault: unknown): void => void unhandled.push(fault);
  process.on('unhandledRejection', note);
  const account = new Account(seed);
  try {
    for (let at = 0; at < inputs; at += AT_ONCE) {
      const batch = Array.from({ length: Math.min(AT_ONCE, inputs - at) }, (_, index) =>
        wireInput(random, `w${seed}-${at + index}`),
      );
      const heard = await Promise.all(batch.map(async (input) => await talk(port, input)));
      for (const [index, input] of batch.entries()) account.take(at + index, input, heard[index] ?? '');
      if (unhandled.length > 0) throw new Error(`seed ${seed}: an unhandled rejection`, { cause: unhandled[0] });
    }
    await settled(deps.metrics);
    return account.settle(sink);
  } finally {
    process.off('unhandledRejection', note);
    await door.stop();
  }
}

/** Writes what it has to, leaves as it has to, and gives all that it heard. */
async function talk(port: number, { pieces, leaves }: WireInput): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay();
  // Who is cut off in the middle of writing is told so by the kernel.
  socket.on('error', () => undefined);
  const heard = listen(socket);
  for (const piece of pieces) {
    socket.write(piece);
    await nextTurn();
  }
  if (leaves === 'its side') socket.end();
  if (leaves === 'at once') await new Promise<void>((done) => socket.write('', () => done(void socket.destroy())));
  return await heard;
}

function listen(socket: Socket): Promise<string> {
  const heard: Buffer[] = [];
  socket.on('data', (chunk) => heard.push(chunk));
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`nothing closed within ${ANSWER_MS} ms`)), ANSWER_MS);
    socket.on('close', () => {
      clearTimeout(late);
      resolve(Buffer.concat(heard).toString('latin1'));
    });
  });
}

async function settled(metrics: Registry): Promise<void> {
  for (let look = 0; look < 100; look += 1) {
    const text = await metrics.getSingleMetricAsString('tollgate_ingest_in_flight_bytes');
    if (/^tollgate_ingest_in_flight_bytes 0$/m.test(text)) return;
    await sleep(50);
  }
  throw new Error('bytes stay in flight, and nobody is connected');
}

/** What the answers have told, to be held against what is in the log. */
class Account {
  readonly #seed: number;
  readonly #statuses = new Map<string, number>();
  readonly #fates = new Map<string, WireInput['fate']>();
  /** How often a text may be kept. */
  readonly #refusals = new Map<string, number>();
  #told = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  take(at: number, { ids, fate, refused }: WireInput, heard: string): void {
    for (const id of ids) this.#fates.set(id, fate);
    if (refused !== undefined) this.#refusals.set(refused, (this.#refusals.get(refused) ?? 0) + 1);
    for (const [, status = ''] of heard.matchAll(/^HTTP\/1\.1 (\d{3})/gm)) {
      if (status.startsWith('5')) throw new Error(`seed ${this.#seed}, connection ${at}: ${heard.slice(0, 1000)}`);
      this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    }
    let accepted = 0;
    for (const [, own] of heard.matchAll(/"accepted":(\d+),"rejected":0/g)) accepted += Number(own);
    this.#told += accepted;
    if (fate === 'answered' && accepted !== ids.length) {
      throw new Error(
        `seed ${this.#seed}, connection ${at}: told ${accepted} of ${ids.length}: ${heard.slice(0, 1000)}`,
      );
    }
    if (fate === 'never' && accepted > 0) {
      throw new Error(`seed ${this.#seed}, connection ${at}: ${accepted} of what never came whole: ${heard}`);
    }
  }

  settle(sink: MemorySink): WireReport {
    const times = new Map<string, number>();
    for (const text of sink.texts) {
      const { id } = JSON.parse(text) as { readonly id: string };
      times.set(id, (times.get(id) ?? 0) + 1);
    }
    for (const [id, fate] of this.#fates) {
      const count = times.get(id) ?? 0;
      const fits = fate === 'answered' ? count === 1 : fate === 'never' ? count === 0 : count <= 1;
      if (!fits) throw new Error(`seed ${this.#seed}: ${id} is ${count} times in the log, and its fate is "${fate}"`);
    }
    if (times.size > this.#fates.size) throw new Error(`seed ${this.#seed}: in the log is what nobody sent`);
    for (const { event } of sink.rejected) {
      const left = (this.#refusals.get(event.text) ?? 0) - 1;
      this.#refusals.set(event.text, left);
      if (left < 0) throw new Error(`seed ${this.#seed}: kept, and not refused: ${event.text}`);
    }
    const logged = sink.texts.length;
    return { statuses: this.#statuses, told: this.#told, logged, rejected: sink.rejected.length };
  }
}
