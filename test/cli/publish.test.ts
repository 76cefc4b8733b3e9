import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOPICS } from '../../services/shared/topics.ts';
import { type Instance, removeFolder, startInstance, temporaryFolder } from '../e2e/support/embedded.ts';
import { opened, priced, used } from './support/events.ts';
import { run } from './support/run.ts';

const KEY = `tg_operator_${'s3cret-'.repeat(6)}x`;
let folder = '';
let data = '';
let instance: Instance;

beforeAll(async () => {
  folder = temporaryFolder();
  data = join(folder, 'data');
  instance = await startInstance(folder, 'event', Date.now);
});

afterAll(async () => {
  await instance.stop();
  removeFolder(folder);
});

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const end = () => instance.embedded.stores.log.endOffset(TOPICS.events, 0);

describe('publish, to a running instance', () => {
  test('E4: tells each refused event by its line, blank lines counted, and sends the rest', async () => {
    const before = await end();
    const lines = [
      opened(0, 'acme'),
      '',
      '\u00a0',
      '{"no":"event"}',
      priced(0),
      'no JSON',
      `  ${used(1, 'acme', 'n1')}\r`,
    ];
    const { code, stdout, stderr } = await run(['publish', file('bad.ndjson', lines.join('\n')), '--data', data]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'sent 5, accepted 3, rejected 2\n' });
    expect(stderr).toMatch(/^line 4: malformed: .*\nline 6: malformed: not JSON.*\n$/);
    expect(await end()).toBe(before + 3);
  });

  test('sends 1,500 events in their order, in several requests, and shows how far it is on a terminal only', async () => {
    const before = await end();
    const lines = Array.from({ length: 1500 }, (_, index) => used(2, 'acme', `m${index}`));
    const path = file('many.ndjson', `${lines.join('\n')}\n`);
    const ran = await run(['publish', path, '--data', data, '--json'], { terminal: true });
    expect({ code: ran.code, counts: JSON.parse(ran.stdout) }).toEqual({
      code: 0,
      counts: { sent: 1500, accepted: 1500, rejected: 0 },
    });
    expect(ran.stderr).toContain('publish | 1000 events');
    const last = await instance.embedded.stores.log.read(TOPICS.events, 0, before + 1499, {
      recordsMax: 1,
      bytesMax: 1,
    });
    expect(JSON.parse(last[0]?.value.toString('utf8') ?? '')).toMatchObject({ id: 'm1499:2' });
    const again = await run(['publish', path, '--data', data]);
    expect(again).toEqual({ code: 0, stdout: 'sent 1500, accepted 1500, rejected 0\n', stderr: '' });
  });

  test('reads stdin, and a file that is packed', async () => {
    const before = await end();
    expect(await run(['publish', '-', '--data', data], { stdin: used(3, 'acme', 'n1') })).toMatchObject({ code: 0 });
    const packed = file('packed.ndjson.gz', gzipSync(`${used(3, 'acme', 'n2')}\n${used(3, 'acme', 'n3')}\n`));
    expect(await run(['publish', packed, '--data', data])).toMatchObject({ code: 0 });
    expect(await end()).toBe(before + 3);
    const broken = file('broken.ndjson.gz', 'not packed');
    expect(await run(['publish', broken, '--data', data])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('broken.ndjson.gz: cannot be read: incorrect header check'),
    });
  });

  test('keeps the pace of the events, as many times as fast as is asked', async () => {
    const path = file('paced.ndjson', [used(4, 'acme', 'n1'), used(5, 'acme', 'n1')].join('\n'));
    const begun = performance.now();
    expect(await run(['publish', path, '--data', data, '--speed', '120'])).toMatchObject({ code: 0 });
    expect(performance.now() - begun).toBeGreaterThan(490);
  });
});

describe('publish, when it cannot', () => {
  test('names a file that is not there, and a line that no event can be', async () => {
    const missing = await run(['publish', join(folder, 'none.ndjson'), '--data', data]);
    expect(missing).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('cannot be read: ENOENT') });
    const long = await run(['publish', file('long.ndjson', `\n${'x'.repeat(5 << 20)}`), '--data', data]);
    expect(long).toMatchObject({ code: 2, stderr: expect.stringContaining('line 2 is longer than 4194304 bytes') });
  });

  test('says that nothing runs on a folder, and how to start it', async () => {
    const { code, stderr } = await run(['publish', '-', '--data', join(folder, 'other')]);
    expect(code).toBe(1);
    expect(stderr).toContain('no instance runs on ');
    expect(stderr).toContain('tollgate start --data ');
  });

  test('says which door cannot be reached', async () => {
    const args = ['publish', '-', '--data', data, '--url', 'http://127.0.0.1:9'];
    const { code, stderr } = await run(args, { stdin: used(6, 'acme', 'n1') });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tollgate: http:\/\/127\.0\.0\.1:9 cannot be reached \(.*\): is it running/);
  });

  test('says that a key is unknown, and never what it is', async () => {
    const ways = [
      { args: ['--key', KEY], env: {} },
      { args: [], env: { TOLLGATE_KEY: KEY } },
    ];
    for (const { args, env } of ways) {
      const ran = await run(['publish', '-', '--data', data, ...args], { stdin: used(6, 'acme', 'n1'), env });
      expect(ran).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('401 Unknown key') });
      expect(ran.stderr).not.toContain('s3cret');
    }
  });

  test('shows no key in an error that quotes where it was misplaced', async () => {
    const calls = [
      ['publish', '-', '--url', KEY],
      ['publish', '-', '--url', `http://${KEY}@127.0.0.1:9`],
      ['publish', '-', `--kye=${KEY}`],
      ['publish', '-', '--data', data, '--key', `${KEY} `],
      [KEY],
    ];
    for (const args of calls) {
      const { code, stdout, stderr } = await run(args, { stdin: '{}' });
      expect(code).toBe(2);
      expect(stdout + stderr).not.toContain('s3cret');
    }
  });

  test("does not show the operator's key of a folder to another machine", async () => {
    const args = ['publish', '-', '--data', data, '--url', 'http://tollgate.example'];
    const { code, stderr } = await run(args, { stdin: '{}' });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('is not shown to') });
  });
});

/** A server on a port of its own that answers as it is told to. */
async function served(answer: (body: Buffer, request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => answer(Buffer.concat(pieces), request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

describe('publish, to something else than a door that takes it', () => {
  test('sends packed, and again what was turned away, as Retry-After says', async () => {
    const seen: { headers: IncomingHttpHeaders; body: string }[] = [];
    const door = await served((body, request, response) => {
      seen.push({ headers: request.headers, body: gunzipSync(body).toString('utf8') });
      if (seen.length === 1) response.writeHead(429, { 'retry-after': '0' }).end('{}');
      else response.writeHead(202).end('{"accepted":1,"rejected":0,"results":[]}');
    });
    const ran = await run(['publish', '-', '--url', `${door.url}/`, '--key', KEY], { stdin: used(6, 'acme', 'n1') });
    door.close();
    expect(ran).toEqual({ code: 0, stdout: 'sent 1, accepted 1, rejected 0\n', stderr: '' });
    expect(seen.map(({ body }) => body)).toEqual([`${used(6, 'acme', 'n1')}\n`, `${used(6, 'acme', 'n1')}\n`]);
    expect(seen[0]?.headers).toMatchObject({ 'content-encoding': 'gzip', authorization: `Bearer ${KEY}` });
  });

  test('says that something else listens there, and shows no key that it echoes', async () => {
    const other = await served((_body, request, response) => {
      response.writeHead(request.method === 'GET' ? 200 : 418).end(`<h1>${request.headers.authorization}</h1>`);
    });
    const door = ['--url', other.url, '--key', KEY];
    const asked = await run(['balance', 'acme', ...door]);
    const sent = await run(['publish', '-', ...door], { stdin: '{}' });
    other.close();
    expect(asked).toMatchObject({ code: 1, stderr: expect.stringContaining('not as a door of Tollgate does') });
    expect(sent).toMatchObject({ code: 1, stderr: expect.stringContaining('418: <h1>Bearer tg_operator_...') });
  });

  test('an interruption ends it, and says that not all was sent', async () => {
    const door = await served((_body, _request, response) => {
      response.writeHead(202).end('{"accepted":1,"rejected":0,"results":[]}');
    });
    const stdin = [used(6, 'acme', 'n1'), used(600, 'acme', 'n1')].join('\n');
    const args = ['publish', '-', '--url', door.url, '--key', KEY, '--speed', '1'];
    const ran = await run(args, { stdin, interruptAfterMs: 300 });
    door.close();
    expect(ran).toEqual({
      ...{ code: 1, stdout: 'sent 1, accepted 1, rejected 0\n' },
      stderr: 'tollgate: interrupted: stdin was not sent to its end\n',
    });
  });
});
