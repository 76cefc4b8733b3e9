import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INCLUDED_PART } from '../../examples/openb/arguments.ts';
import { type Converted, convertFile } from '../../examples/openb/convert-file.ts';
import { type Envelope, readEvent } from './openb-event-shape.ts';

const HOUR_MS = 3_600_000;
const ROOT = join(import.meta.dirname, '..', '..');
const HEADER =
  'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'openb-'));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

function convert(more: Partial<Parameters<typeof convertFile>[0]> & { outPath: string }): Promise<Converted> {
  return convertFile({ ...INCLUDED_PART, sampleMs: HOUR_MS, reservations: true, ...more });
}

function readLog(path: string): Envelope[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n').map(readEvent);
}

/** Converts rows that a test made up: 2 days in samples of an hour unless told otherwise. */
async function convertRows(rows: readonly string[], more: { days?: number; sampleMs?: number } = {}) {
  const podsPath = join(dir, 'pods.csv');
  const outPath = join(dir, 'rows.ndjson');
  writeFileSync(podsPath, `${[HEADER, ...rows].join('\n')}\n`);
  const converted = await convert({ podsPath, outPath, fromDay: 0, days: 2, reservations: false, ...more });
  return { converted, log: readLog(outPath) };
}

function usageOf(log: readonly Envelope[], node: string): Envelope[] {
  return log.filter(({ type, data }) => type === 'usage.gpu' && data.node_id === node);
}

describe('the log of ten days of the trace', () => {
  let converted: Converted;
  let log: Envelope[];
  beforeAll(async () => {
    const outPath = join(dir, 'part.ndjson');
    converted = await convert({ outPath });
    log = readLog(outPath);
  });

  test('E: every line is an event of the form that the rules give its type', () => {
    expect(log).toHaveLength(converted.events);
    expect(log.length).toBeGreaterThan(10_000);
  });

  test('E2: lines stand in the order of time, and time never stands still for more than an hour', () => {
    for (const [index, event] of log.entries()) {
      const before = log[index - 1]?.at ?? event.at;
      expect(event.at - before).toBeGreaterThanOrEqual(0);
      expect(event.at - before).toBeLessThanOrEqual(HOUR_MS);
    }
  });

  test('E4: prices come first, and no account is used before it is opened', () => {
    expect(log[0]?.type).toBe('prices.published');
    const opened = new Set<string>();
    for (const { type, subject } of log) {
      if (type === 'account.opened' && subject !== undefined) opened.add(subject);
      else if (subject !== undefined) expect(opened).toContain(subject);
    }
    expect(opened.size).toBe(12);
  });

  test('E6: reservations end within 1100 days of their purchase and start at most a day before it', () => {
    const purchased = log.filter(({ type }) => type === 'reservation.purchased');
    expect(purchased.length).toBeGreaterThan(10);
    for (const { at, data } of purchased) {
      expect(Date.parse(String(data.starts_at))).toBeGreaterThanOrEqual(at - 24 * HOUR_MS);
      expect(Date.parse(String(data.starts_at))).toBeLessThan(Date.parse(String(data.ends_at)));
      expect(Date.parse(String(data.ends_at))).toBeLessThanOrEqual(at + 1100 * 24 * HOUR_MS);
    }
  });

  test('C6: the activity window is twice the sample length', () => {
    for (const { type, data } of log) {
      if (type === 'account.opened') expect(data.policy).toMatchObject({ activity_window: '120m' });
    }
  });

  test('E3: an id is used again only for a sample that is sent again, word for word', () => {
    const seen = new Map<string, string>();
    let repeats = 0;
    for (const { id, type, data } of log) {
      const text = JSON.stringify(data);
      const earlier = seen.get(id);
      if (earlier !== undefined) {
        repeats += 1;
        expect(type).toBe('usage.gpu');
        expect(text).toBe(earlier);
      }
      seen.set(id, text);
    }
    expect(repeats).toBeGreaterThan(100);
  });

  test('R8: what the outage held up comes more than 72 h after its month', () => {
    const late = log.filter(
      ({ type, at, data }) => type === 'usage.gpu' && at - Date.parse(String(data.end)) > HOUR_MS,
    );
    expect(late.length).toBeGreaterThan(50);
    for (const { at, data } of late) {
      expect(String(data.end) <= '2025-12-01T00:00:00.000Z').toBe(true);
      expect(at).toBeGreaterThanOrEqual(Date.parse('2025-12-04T00:00:00.000Z'));
    }
  });

  test('it has what a billing history has', () => {
    const types = [...converted.eventsByType.keys()];
    expect(types).toEqual(
      expect.arrayContaining([
        'contract.priced',
        'credits.granted',
        'policy.set',
        'reservation.cancelled',
        'reservation.purchased',
        'cluster.provisioned',
        'cluster.decommissioned',
        'volume.created',
        'volume.decommissioned',
      ]),
    );
    expect(converted.eventsByType.get('prices.published')).toBe(2);
    expect(log.some(({ data }) => data.expires_at !== undefined)).toBe(true);
  });

  test('L10: the same rows and options give the same bytes', async () => {
    const again = join(dir, 'again.ndjson');
    await convert({ outPath: again });
    const digest = (name: string) =>
      createHash('sha256')
        .update(readFileSync(join(dir, name)))
        .digest('hex');
    expect(digest('again.ndjson')).toBe(digest('part.ndjson'));
  });

  test('without reservations none is bought', async () => {
    const { eventsByType } = await convert({ outPath: join(dir, 'plain.ndjson'), reservations: false });
    expect([...eventsByType.keys()].filter((type) => type.startsWith('reservation.'))).toEqual([]);
  });
});

describe('a pod becomes a node', () => {
  test('with a sample an hour, the last one shorter, each soon after its end', async () => {
    const { log } = await convertRows(['p,1,1,2,1000,T4,LS,Running,100,9100,1000']);
    const samples = usageOf(log, 'p');
    expect(samples.map(({ data }) => [data.start, data.end, data.gpus, data.gpu_type])).toEqual([
      ['2025-08-01T00:16:40.000Z', '2025-08-01T01:16:40.000Z', 2, 'T4'],
      ['2025-08-01T01:16:40.000Z', '2025-08-01T02:16:40.000Z', 2, 'T4'],
      ['2025-08-01T02:16:40.000Z', '2025-08-01T02:31:40.000Z', 2, 'T4'],
    ]);
    for (const { at, data } of samples) {
      expect(at - Date.parse(String(data.end))).toBeGreaterThan(0);
      expect(at - Date.parse(String(data.end))).toBeLessThanOrEqual(20_000);
    }
  });

  test('cut at the edges of the window', async () => {
    const { log } = await convertRows(['p,1,1,1,1000,,LS,Running,0,864000,0'], { days: 1, sampleMs: 24 * HOUR_MS });
    expect(usageOf(log, 'p').map(({ data }) => data.end)).toEqual(['2025-08-02T00:00:00.000Z']);
  });

  test('of a whole GPU where it asked for a share, of the first type where it allows several', async () => {
    const { converted, log } = await convertRows(['p,1,1,1,460,V100M16|V100M32,BE,Failed,0,60,0']);
    expect(converted.roundedUp).toBe(1);
    expect(usageOf(log, 'p').map(({ data }) => [data.gpus, data.gpu_type])).toEqual([[1, 'V100M16']]);
  });

  test('but not without a GPU, or if it was never scheduled, or ran outside the window', async () => {
    const { converted, log } = await convertRows([
      'p,1,1,1,1000,,LS,Running,0,60,0',
      'cpu,1,1,0,0,,LS,Running,0,60,0',
      'pending,1,1,1,1000,,BE,Pending,0,60,',
      'after,1,1,1,1000,,BE,Running,172800,172860,172800',
    ]);
    expect(converted.leftOut).toEqual({ noGpu: 1, neverScheduled: 1, outsideWindow: 1 });
    const nodes = log.filter(({ type }) => type === 'usage.gpu').map(({ data }) => data.node_id);
    expect(new Set(nodes)).toEqual(new Set(['p']));
  });

  test('and ticks keep time going where nobody reports', async () => {
    const { log } = await convertRows(['p,1,1,1,1000,,LS,Running,0,172800,0'], { sampleMs: 24 * HOUR_MS });
    expect(log.filter(({ type }) => type === 'clock.tick').length).toBeGreaterThan(40);
    expect(log.at(-1)?.at).toBeGreaterThanOrEqual(Date.parse('2025-08-03T00:00:00.000Z'));
  });
});

describe('a pod list that cannot be read', () => {
  const good = 'a,1,1,1,1000,,LS,Running,0,60,0';
  test.each([
    ['a cell too few', 'b,1,1,1,1000,,LS,Running,0,60', 'line 3: 10 cells where the header has 11'],
    ['a GPU count that is no number', 'b,1,1,x,1000,,LS,Running,0,60,0', 'line 3: num_gpu is "x", not an integer'],
    ['a negative time', 'b,1,1,1,1000,,LS,Running,0,-60,0', 'line 3: deletion_time is "-60"'],
    [
      'an end before the start',
      'b,1,1,1,1000,,LS,Running,0,60,61',
      'line 3: deletion_time 60 lies before the pod began',
    ],
    ['a share above a whole', 'b,1,1,1,1001,,LS,Running,0,60,0', 'line 3: gpu_milli is "1001"'],
    ['a name that is no id', 'b b,1,1,1,1000,,LS,Running,0,60,0', 'line 3: name is "b b"'],
    ['a pod twice', 'a,1,1,1,1000,,LS,Running,0,60,0', 'line 3: pod a is on line 2 already'],
    ['an unknown class', 'b,1,1,1,1000,,Gold,Running,0,60,0', 'line 3: qos is "Gold", not one of LS, BE'],
    ['a type without a price', 'b,1,1,1,1000,__proto__,LS,Running,0,60,0', 'line 3: gpu_spec "__proto__" has no price'],
  ])('%s: the message names the line', async (_, row, message) => {
    await expect(convertRows([good, row])).rejects.toThrow(`pods.csv, ${message}`);
    expect(existsSync(join(dir, 'rows.ndjson.partial'))).toBe(false);
  });

  test('a missing column is named', async () => {
    writeFileSync(join(dir, 'short.csv'), 'name,num_gpu\n');
    const call = convert({ podsPath: join(dir, 'short.csv'), outPath: join(dir, 'short.ndjson') });
    await expect(call).rejects.toThrow('short.csv, line 1: no column cpu_milli, memory_mib, gpu_milli');
  });

  test('a window without pods is refused', async () => {
    const call = convert({ outPath: join(dir, 'none.ndjson'), fromDay: 400, days: 1 });
    await expect(call).rejects.toThrow('no pod with GPUs runs from day 400 to day 401');
  });
});

describe('the command', () => {
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', 'examples/openb/convert.ts', ...args], { cwd: ROOT });

  test('converts the included part and says what became of the pods', async () => {
    const out = join(dir, 'cli.ndjson');
    const { stdout } = await run('--out', out, '--sample', '6h', '--days', '1', '--from-day', '120');
    expect(stdout).toContain('became nodes');
    expect(readLog(out).length).toBeGreaterThan(400);
  });

  test.each([
    [['--sample', '25h'], 'Give minutes or hours, 1m to 24h'],
    [['--days', '-1'], 'Give a whole number of days'],
    [['--pods', 'no/such.csv'], 'ENOENT'],
    [['--colour', 'red'], 'unknown option'],
  ])('%j is a bad call: exit code 2', async (args, message) => {
    const call = run('--out', join(dir, 'bad.ndjson'), ...args);
    await expect(call).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(message) as string });
  });
});
