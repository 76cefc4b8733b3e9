import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'hdr-histogram-js';
import { type BenchEvent, FLEET, openings, sample } from './fleet.ts';
import type { Result } from './result.ts';

const BATCH = 1000;
const IN_FLIGHT = 4;
const PROBES = 200;
const PROBE_PAUSE_MS = 25;
const READY_MS = 120_000;
const HISTOGRAM = { highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 } as const;

/**
 * Claim: samples a second from the HTTP door to checkpointed rows, in batches of 1,000, and how long it takes from the 202 to
 * the balance that shows it, at a quarter of that.
 */
export async function benchEmbedded(samples: number): Promise<readonly Result[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
  const instance = await startInstance(join(folder, 'data'));
  try {
    await instance.post([...openings(FLEET)]);
    const begun = process.hrtime.bigint();
    await load(instance, samples);
    const accepted = secondsSince(begun);
    await instance.checkpointed();
    const whole = samples / secondsSince(begun);
    const latency = await latencies(instance, samples, whole / 4);
    return [
      { claim: `door accepts ${samples} samples`, value: `${Math.round(samples / accepted)} samples/s`, aim: '' },
      { claim: 'embedded, door to checkpointed rows', value: `${Math.round(whole)} samples/s`, aim: '' },
      { claim: '202 to balance, at a quarter of it: p50', value: `${latency.p50.toFixed(1)} ms`, aim: '' },
      { claim: '202 to balance, at a quarter of it: p99', value: `${latency.p99.toFixed(1)} ms`, aim: '' },
    ];
  } finally {
    await instance.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const CHECKPOINTED = /^tollgate_rater_offset\{.*stage="checkpointed".*\} (\d+)$/m;
const ENFORCED = /^tollgate_enforcer_offset\{.*\} (\d+)$/m;

interface Instance {
  post(events: readonly BenchEvent[]): Promise<void>;
  charged(account: string): Promise<string>;
  checkpointed(): Promise<void>;
  stop(): Promise<void>;
}

async function startInstance(data: string): Promise<Instance> {
  const main = fileURLToPath(new URL('../cli/main.js', import.meta.url));
  const args = [main, 'start', '--no-demo', '--data', data, '--port', '0', '--log-time', 'event'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const url = await readyUrl(child);
  const key = readFileSync(join(data, 'operator.key'), 'utf8').trim();
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents-batch+json' };
  const offset = async (metric: RegExp): Promise<number> => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return Number(metric.exec(metrics)?.[1] ?? -1);
  };
  let sent = 0;
  return {
    post: async (events) => {
      for (;;) {
        const answer = await fetch(`${url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) });
        const body = await answer.text();
        if (answer.status === 202) break;
        if (answer.status !== 429 && answer.status !== 503) throw new Error(`${answer.status}: ${body.slice(0, 300)}`);
        await delay(Number(answer.headers.get('retry-after') ?? 1) * 1000);
      }
      sent += events.length;
    },
    charged: async (account) => {
      const response = await fetch(`${url}/v1/accounts/${account}`, { headers });
      const answer: { charged: string } = JSON.parse(await response.text());
      return answer.charged;
    },
    checkpointed: async () => {
      while ((await offset(CHECKPOINTED)) < sent || (await offset(ENFORCED)) < sent) await delay(50);
    },
    stop: async () => {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
    },
  };
}

async function readyUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the instance has no stdout');
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_MS);
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^ready (http:\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    clearTimeout(timer);
    child.stdout.resume();
    return url;
  }
  throw new Error('the instance ended before it was ready');
}

async function load(instance: Instance, samples: number): Promise<void> {
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < samples) {
      const from = next;
      next = Math.min(samples, next + BATCH);
      await instance.post(Array.from({ length: next - from }, (_, index) => sample(FLEET, from + index)));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, sender));
}

/** Samples go on in the background at a rate; a probe is one sample of an account without reservation. */
async function latencies(instance: Instance, from: number, perSecond: number): Promise<{ p50: number; p99: number }> {
  const histogram = build(HISTOGRAM);
  const stop = new AbortController();
  const background = steady(instance, from, perSecond, stop.signal);
  for (let probe = 0; probe < PROBES; probe += 1) {
    const account = `account-${(probe % (FLEET.accounts / 2)) * 2 + 1}`;
    const event = sample(FLEET, from);
    const data = { ...event.data, cluster_id: 'probe', node_id: `probe-${probe}`, gpus: 8 };
    const before = await instance.charged(account);
    await instance.post([{ ...event, id: `probe-${probe}`, subject: account, data }]);
    const begun = process.hrtime.bigint();
    while ((await instance.charged(account)) === before) await delay(1);
    histogram.recordValue(Number(process.hrtime.bigint() - begun) / 1000);
    await delay(PROBE_PAUSE_MS);
  }
  stop.abort();
  await background;
  return { p50: histogram.getValueAtPercentile(50) / 1000, p99: histogram.getValueAtPercentile(99) / 1000 };
}

/** Background accounts are those with a reservation, so that a probe's charge is its own. */
async function steady(instance: Instance, from: number, perSecond: number, signal: AbortSignal): Promise<void> {
  for (let next = from; !signal.aborted; next += BATCH) {
    const begun = process.hrtime.bigint();
    const events = Array.from({ length: BATCH }, (_, index) => sample(FLEET, next + index));
    await instance.post(
      events.map((event, index) => ({ ...event, subject: `account-${(index % (FLEET.accounts / 2)) * 2}` })),
    );
    await delay(Math.max(0, (BATCH / perSecond - secondsSince(begun)) * 1000));
  }
}

function secondsSince(begun: bigint): number {
  return Number(process.hrtime.bigint() - begun) / 1e9;
}
