import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOPICS } from '../../services/shared/topics.ts';
import { type Instance, removeFolder, startInstance, temporaryFolder } from '../e2e/support/embedded.ts';
import { granted, line, opened, priced, used } from './support/events.ts';
import { run } from './support/run.ts';

let folder = '';
let data: readonly string[] = [];
let instance: Instance;

beforeAll(async () => {
  folder = temporaryFolder();
  data = ['--data', join(folder, 'data')];
  instance = await startInstance(folder, 'event', Date.now);
});

afterAll(async () => {
  await instance.stop();
  removeFolder(folder);
});

const post = (...lines: readonly string[]) => instance.post(lines, '?wait=applied');
const logEnd = () => instance.embedded.stores.log.endOffset(TOPICS.events, 0);

async function redriven(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run(['redrive', '--json', ...args, ...data]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout);
}

async function balanceOf(account: string): Promise<Record<string, unknown>> {
  const { stdout } = await run(['balance', account, '--json', ...data]);
  return JSON.parse(stdout);
}

/** A sample's line, with other data. */
function but(text: string, from: string, to: string): string {
  return text.replace(JSON.stringify(from), JSON.stringify(to));
}

describe('usage', () => {
  test('E4: goes in again once its price is there, once, and is then left alone', async () => {
    await post(opened(0, 'acme'), granted(0, 'acme', 'g', '100'), used(1, 'acme', 'n1'), used(2, 'acme', 'n1'));
    await post(used(1, 'acme', 'n1'));
    const early = await run(['redrive', ...data]);
    expect(early).toMatchObject({ code: 0 });
    expect(early.stdout).toBe(`\
found             2  rejected events, each counted once
sent              2
  applied         0
  duplicate       0
  rejected again  2
    no_price      2
skipped           0
`);
    expect(early.stderr).toMatch(/^ops\/n1:1 of acme: no_price: .*\nops\/n1:2 of acme: no_price: .*\n$/);
    await post(priced(3));
    const before = await logEnd();
    expect(await redriven()).toMatchObject({ found: 2, sent: 2, applied: 2, rejected: {} });
    expect(await logEnd()).toBe(before + 2);
    expect(await balanceOf('acme')).toMatchObject({ charged: '0.666666666' });
    expect(await redriven()).toMatchObject({ found: 2, sent: 0, applied: 0, skipped: { applied_since: 2 } });
    expect(await logEnd()).toBe(before + 2);
    expect(await run(['verify', ...data])).toMatchObject({ code: 0 });
  });

  test('E4: of an account that was not opened goes in again once it is, and only what is asked for', async () => {
    await post(used(4, 'a', 'n1'), used(4, 'b', 'n1'), used(4, '__proto__', 'n1', 'B200'));
    await post(opened(5, 'a'), opened(5, 'b'), opened(5, '__proto__'));
    expect(await redriven('--account', 'c')).toMatchObject({ found: 0, sent: 0 });
    expect(await redriven('--reason', 'in_future', '--reason', 'too_late')).toMatchObject({ found: 0, sent: 0 });
    expect(await redriven('--account', 'a')).toMatchObject({ found: 1, sent: 1, applied: 1 });
    const { rejected, ...counts } = await redriven('--reason', 'unknown_account');
    expect(counts).toMatchObject({ found: 3, sent: 2, applied: 1, skipped: { applied_since: 1 } });
    expect(rejected).toEqual({ no_price: 1 });
    expect(await balanceOf('a')).toMatchObject({ charged: '0.333333333' });
    expect(await balanceOf('b')).toMatchObject({ charged: '0.333333333' });
    expect(await balanceOf('__proto__')).toMatchObject({ charged: '0.000000000' });
  });

  test('R2: two samples that share an id are told apart, and what another billed is a duplicate', async () => {
    const sample = used(6, 'twins', 'n1', 'A100');
    const other = but(sample, 'n1', 'n2');
    await post(opened(6, 'twins'), sample, other, priced(7, 'A100'), but(other, 'n1:6', 'n2:6'));
    expect(await redriven('--account', 'twins')).toMatchObject({ found: 2, sent: 2, applied: 1, duplicate: 1 });
    expect(await balanceOf('twins')).toMatchObject({ charged: '0.666666666' });
  });

  test('a dry run says what would be sent, and sends nothing', async () => {
    await post(opened(8, 'dry'), used(8, 'dry', 'n1', 'L4'), granted(8, 'dry', 'g', '1'), granted(8, 'dry', 'g', '2'));
    const before = await logEnd();
    const args = ['--dry-run', '--account', 'dry', ...data];
    const { code, stdout, stderr } = await run(['redrive', ...args, '--key', 'not looked at']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr:
        'would send ops/n1:8 (usage.gpu) of dry, rejected as no_price\n' +
        'would skip ops/g (credits.granted) of dry, rejected as conflict: act_not_named\n',
    });
    expect(stdout).toBe(`\
found            2  rejected events, each counted once
would send       1
  no_price       1
skipped          1
  act_not_named  1  acts of operators: name by --id which to repeat
`);
    expect(JSON.parse((await run(['redrive', '--json', ...args])).stdout)).toMatchObject({
      ...{ found: 2, would_send: 1, by_reason: { no_price: 1 }, skipped: { act_not_named: 1 } },
    });
    expect(await logEnd()).toBe(before);
  });
});

describe('what is no usage, or no event', () => {
  test('E4: an act goes in again only by its name, once, and a hostile id is a name like any other', async () => {
    const grants = ['__proto__', 'constructor'].map((id) => granted(9, 'later', id, '5'));
    await post(...grants, opened(10, 'later'));
    const before = await logEnd();
    const skipped = { act_not_named: 2 };
    expect(await redriven('--account', 'later')).toMatchObject({ found: 2, sent: 0, skipped });
    expect(await logEnd()).toBe(before);
    expect(await redriven('--id', 'ops/__proto__')).toMatchObject({ found: 1, sent: 1, applied: 1 });
    expect(await redriven('--id', 'ops/__proto__')).toMatchObject({ found: 1, sent: 0, skipped: { applied_since: 1 } });
    expect(await balanceOf('later')).toMatchObject({ granted: '5.000000000' });
    const unknown = await run(['redrive', '--id', 'ops/none', ...data]);
    expect(unknown).toMatchObject({ code: 1, stderr: 'tollgate: not among the rejected events: ops/none\n' });
  });

  test('E3: of acts that share a name and differ none is sent', async () => {
    await post(granted(11, 'unsure', 'g7', '5'), granted(11, 'unsure', 'g7', '50'), opened(11, 'unsure'));
    const skipped = { act_ambiguous: 2 };
    expect(await redriven('--id', 'ops/g7')).toMatchObject({ found: 2, sent: 0, skipped });
  });

  test('E4: what the door refused goes in as it was sent; what was not kept whole or is no JSON is counted', async () => {
    const misspelt = used(12, 'door', 'n1').replace('"gpus"', '"gpu"');
    const long = `{"specversion":"1.0","source":"ops","type":"usage.gpu","data":"${'x'.repeat(300_000)}"}`;
    await post(opened(12, 'door'), misspelt, 'no JSON', '[]', long, misspelt);
    const { found, skipped } = await redriven('--reason', 'malformed');
    expect({ found, skipped }).toMatchObject({ found: 3, skipped: { truncated: 1, not_json: 2 } });
    const { rejected, ...counts } = await redriven('--account', 'door');
    expect(counts).toMatchObject({ found: 1, sent: 1, skipped: { truncated: 0, not_json: 0 } });
    expect(rejected).toEqual({ invalid_field: 1 });
  });

  test('E4: what a key had no right to send goes in only when that is named', async () => {
    const { log } = instance.embedded.stores;
    const text = used(13, 'later', 'n9');
    const record = {
      ...{ reason: 'forbidden', detail: 'not this account', truncated: false },
      origin: { sent_by: 'agent-7', received_at: '2026-05-04T10:13:00.000Z' },
      event: { encoding: 'json', text },
    };
    await log.append(TOPICS.rejected, 0, [{ key: 'later', value: JSON.stringify(record) }]);
    const skipped = { forbidden_not_named: 1 };
    expect(await redriven('--account', 'later', '--dry-run')).toMatchObject({ would_send: 0, skipped });
    expect(await redriven('--reason', 'forbidden')).toMatchObject({ found: 1, sent: 1, applied: 1 });
  });
});

describe('when it cannot', () => {
  test('says that it needs a running instance, its door and its key, and never what the key is', async () => {
    const stopped = await run(['redrive', '--data', join(folder, 'none')]);
    expect(stopped).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no instance runs on') });
    await post(opened(14, 'closed'), used(14, 'closed', 'n1', 'T4'));
    const away = await run(['redrive', '--account', 'closed', ...data, '--url', 'http://127.0.0.1:9']);
    expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be reached') });
    expect(away.stdout).toMatch(/^found +1 .*\nsent +0\n/);
    const key = `tg_operator_${'s3cret-'.repeat(6)}x`;
    const unknown = await run(['redrive', '--account', 'closed', ...data, '--key', key]);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('401 Unknown key') });
    expect(unknown.stderr + unknown.stdout).not.toContain('s3cret');
  });

  test('sends one event to the door of another instance, and no more', async () => {
    const other = await startInstance(join(folder, 'other'), 'event', Date.now);
    await post(used(15, 'closed', 'n1', 'T4'), used(16, 'closed', 'n1', 'T4'), used(17, 'closed', 'n1', 'T4'));
    const door = ['--url', other.embedded.url, '--key', other.embedded.operatorKey];
    const { code, stderr } = await run(['redrive', '--account', 'closed', ...data, ...door]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('is the door of another instance') });
    expect(await other.embedded.stores.log.endOffset(TOPICS.events, 0)).toBe(1);
    await other.stop();
    const own = ['--url', instance.embedded.url];
    expect(await redriven('--account', 'closed', ...own)).toMatchObject({
      found: 4,
      sent: 4,
      rejected: { no_price: 4 },
    });
  });
});

test('E4: what is too late stays so, and is shown', async () => {
  await post(opened(20, 'late'), used(20, 'late', 'n1', 'V100'));
  await post(line(60 * 24 * 40, 't', 'clock.tick', undefined, {}));
  const { code, stdout, stderr } = await run(['redrive', '--account', 'late', ...data]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/\n {2}rejected again +1\n {4}too_late +1\n/);
  expect(stderr).toMatch(/^ops\/n1:20 of late: too_late: /);
});
