import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FLEET, openings, sample } from './fleet.ts';
import { median, type Result } from './result.ts';

const ROUNDS = 5;

/** Claim: replay's events a second, as a share of a loop that only reads, parses and stringifies the same lines. */
export function benchReplay(samples: number): readonly Result[] {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
  try {
    const events = join(folder, 'events.ndjson');
    const lines = writeEvents(events, samples);
    const loops: number[] = [];
    const replays: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      loops.push(lines / seconds('bare-loop.js', [events]).seconds);
      replays.push(lines / seconds('replay-child.js', [events, join(folder, 'out')]).seconds);
    }
    const ratio = median(replays.map((replay, index) => replay / (loops[index] ?? Number.NaN)));
    return [
      { claim: 'bare loop', value: `${Math.round(median(loops))} events/s`, aim: '' },
      { claim: `replay of ${lines} events`, value: `${Math.round(median(replays))} events/s`, aim: '' },
      { claim: 'replay / bare loop', value: ratio.toFixed(3), aim: '>= 0.25, better 0.4' },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Claim: replay's resident memory does not grow with the number of samples. */
export function benchReplayMemory(sizes: readonly number[]): readonly Result[] {
  return sizes.map((samples) => {
    const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
    try {
      const events = join(folder, 'events.ndjson');
      writeEvents(events, samples);
      const { rssMib, seconds: took } = seconds('replay-child.js', [events, join(folder, 'out')]);
      const value = `${Math.round(rssMib)} MiB, ${Math.round(samples / took)} events/s`;
      return { claim: `replay of ${samples} samples: most resident memory`, value, aim: '< 400 MB' };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** What a child measured of itself, without its start. */
function seconds(script: string, args: readonly string[]): { readonly seconds: number; readonly rssMib: number } {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawnSync(process.execPath, [path, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.status !== 0) throw new Error(`${script} ended with ${child.status}`);
  return JSON.parse(child.stdout);
}

const BLOCK_CHARS = 1 << 20;

function writeEvents(path: string, samples: number): number {
  const file = openSync(path, 'w');
  let block = '';
  let lines = 0;
  const put = (event: object): void => {
    block += `${JSON.stringify(event)}\n`;
    lines += 1;
    if (block.length < BLOCK_CHARS) return;
    writeSync(file, block);
    block = '';
  };
  for (const event of openings(FLEET)) put(event);
  for (let n = 0; n < samples; n += 1) put(sample(FLEET, n));
  writeSync(file, block);
  closeSync(file);
  return lines;
}
