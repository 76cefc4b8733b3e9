import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { replayFile } from '../../cli/replay.ts';

const folder = mkdtempSync(join(tmpdir(), 'tollgate-utf8-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const opened = '{"specversion":"1.0","id":"a","source":"ops","type":"account.opened","subject":"acme","time":0}';
const named = (name: string) => Buffer.from(opened.replace('}', `,"data":{"name":"${name}"}}`));
const bytes = (...parts: readonly (string | Buffer)[]) => Buffer.concat(parts.map((part) => Buffer.from(part)));
/** In what is no UTF-8 stand lone bytes, halves of characters, surrogates, and what is past the last character. */
const none = [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0xaf]].map((each) =>
  Buffer.from(each),
);

test.each(['\n', '\r\n'])(
  'E4: a line that is no UTF-8 is malformed, as it is at the door (line end %j)',
  async (end) => {
    const lines = none.flatMap((hostile) => [bytes(named('é').subarray(0, -4), hostile, '"}}'), '', named('é')]);
    const out = await replay(bytes(...lines.flatMap((line) => [line, end])));
    expect(out.summary).toMatchObject({ events: 10, applied: 1, duplicates: 4, rejected: 5 });
    expect(out.rejected.map(({ line, reason, detail }) => [line, reason, detail])).toEqual(
      none.map((_, index) => [3 * index + 1, 'malformed', 'not UTF-8']),
    );
    for (const { event } of out.rejected) expect(event).toMatch(/^\{"specversion".*\ufffd"\}\}$/);
  },
);

test('E4: so is the last line of a file, and one that spans what is read at once', async () => {
  const long = bytes('{"x":"', 'é'.repeat(1 << 20), Buffer.from([0xff]), '"}');
  const out = await replay(bytes(long, '\n', named('é'), '\n', named('é').subarray(0, -4)));
  expect(out.summary).toMatchObject({ events: 3, applied: 1, rejected: 2 });
  expect(out.rejected.map(({ line, detail }) => [line, detail])).toEqual([
    [1, 'not UTF-8'],
    [3, 'not UTF-8'],
  ]);
});

interface Rejected {
  readonly line: number;
  readonly reason: string;
  readonly detail: string;
  readonly event: unknown;
}

async function replay(file: Buffer): Promise<{ readonly summary: object; readonly rejected: readonly Rejected[] }> {
  const eventsPath = join(folder, 'events.ndjson');
  const outDir = join(folder, 'out');
  writeFileSync(eventsPath, file);
  const summary = await replayFile({ eventsPath, outDir });
  const rows = readFileSync(join(outDir, 'rejected.ndjson'), 'utf8').split('\n').slice(0, -1);
  return { summary, rejected: rows.map((row): Rejected => JSON.parse(row)) };
}
