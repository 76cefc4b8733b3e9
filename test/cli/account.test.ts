import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LmdbEnvironment } from '../../platform/lmdb/environment.ts';
import { openLmdbLog } from '../../platform/log/lmdb-log.ts';
import { TOPICS } from '../../services/shared/topics.ts';
import { type Instance, removeFolder, startInstance, temporaryFolder } from '../e2e/support/embedded.ts';
import { BEGIN, granted, line, opened, priced, used } from './support/events.ts';
import { run } from './support/run.ts';

const HOUR_MS = 3_600_000;

const LINES = [
  priced(0),
  opened(0, 'acme'),
  opened(0, '__proto__'),
  granted(0, 'acme', 'g1', '20'),
  line(1, 'r1', 'reservation.purchased', 'acme', {
    ...{ reservation_id: 'res-1', cluster_id: 'c1', gpu_type: 'H100', gpus: 8 },
    ...{ starts_at: BEGIN, ends_at: BEGIN + HOUR_MS, price_per_gpu_hour: '1.9', payment: 'upfront' },
  }),
  used(2, 'acme', 'n1'),
  used(2, 'acme', 'n2'),
  line(2, 'v1', 'usage.storage', 'acme', { volume_id: 'v1', size_gib: 1000, start: BEGIN, end: BEGIN + HOUR_MS / 30 }),
];

const BALANCE = `\
account     acme
as of       2026-05-04T10:02:00.000Z
level       low
balance      4.463333334 USD
  granted   20.000000000 USD
  refunded   0.000000000 USD
  charged   15.536666666 USD
  expired    0.000000000 USD
burn rate   20.100000000 USD/h
runway      0.22 h

coming, as things stand
2026-05-04T11:00:00.000Z  decommission  cluster c1
`;

const INVOICE = `\
Invoice of acme for 2026-05 (open), in USD

section      resource    sku      reservation  quantity  unit        unit price   list  amount
reservation  cluster c1  H100     res-1           8.000  GPU-h         1.900000  15.20   15.20
reserved     cluster c1  H100     res-1           0.133  GPU-h         0.000000   0.33    0.00
burst        cluster c1  H100                     0.133  GPU-h         2.500000   0.33    0.34
storage      volume v1   storage                  0.046  GiB-months    0.073000   0.00    0.00

opening balance   0.00
+ granted        20.00
+ refunded        0.00
- expired         0.00
- charges        15.54
closing balance   4.46
`;

let folder = '';
let data: readonly string[] = [];
let instance: Instance | undefined;

beforeAll(async () => {
  folder = temporaryFolder();
  data = ['--data', join(folder, 'data')];
  instance = await startInstance(folder, 'event', Date.now);
  await instance.post(LINES, '?wait=applied');
});

afterAll(async () => {
  await instance?.stop();
  removeFolder(folder);
});

describe('balance and invoice, of an instance that runs', () => {
  test('C1: the balance with what it is made of', async () => {
    expect(await run(['balance', 'acme', ...data])).toEqual({ code: 0, stdout: BALANCE, stderr: '' });
  });

  test('C1: the balance as JSON, as the door tells it', async () => {
    const { code, stdout } = await run(['balance', 'acme', '--json', ...data]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      ...{ account_id: 'acme', as_of: '2026-05-04T10:02:00.000Z', balance: '4.463333334', granted: '20.000000000' },
      ...{ refunded: '0.000000000', charged: '15.536666666', expired: '0.000000000', burn_rate: '20.100000000' },
      ...{ runway_hours: 0.22, level: 'low' },
      coming: [
        {
          ...{ resource: { kind: 'cluster', id: 'c1' }, command: 'decommission', scope: 'cluster' },
          at: '2026-05-04T11:00:00.000Z',
        },
      ],
    });
  });

  test('F2: the invoice in whole cents that add up, and exactly as JSON', async () => {
    expect(await run(['invoice', 'acme', ...data])).toEqual({ code: 0, stdout: INVOICE, stderr: '' });
    const { stdout } = await run(['invoice', 'acme', '--month', '2026-05', '--json', ...data]);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ charges: '15.536666666', charges_cents: '15.54' },
      lines: [{ cents: '15.20' }, { cents: '0.00' }, { cents: '0.34', amount: '0.333333333' }, { cents: '0.00' }],
    });
  });

  test('an account, or a month, that is not there fails and says what there is', async () => {
    const unknown = await run(['balance', 'nobody', ...data]);
    expect(unknown).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('"nobody" was not opened') });
    const none = await run(['invoice', 'nobody', ...data]);
    expect(none).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('"nobody" has no invoice') });
    const month = await run(['invoice', 'acme', '--month', '2026-04', ...data]);
    expect(month).toMatchObject({ code: 1, stderr: expect.stringContaining('no invoice of 2026-04, but of 2026-05') });
  });

  test('an account with the name of something else is an account like any other', async () => {
    const { code, stdout } = await run(['balance', '__proto__', ...data]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^account +__proto__\n/) });
    expect(await run(['balance', 'constructor', ...data])).toMatchObject({ code: 1 });
    expect(await run(['invoice', '__proto__', ...data])).toMatchObject({ code: 1 });
  });
});

describe('balance and invoice, of an instance that is stopped', () => {
  beforeAll(async () => {
    await instance?.stop();
    instance = undefined;
  });

  test('are those at which it stopped', async () => {
    expect(await run(['balance', 'acme', ...data])).toEqual({ code: 0, stdout: BALANCE, stderr: '' });
    expect(await run(['balance', 'nobody', ...data])).toMatchObject({ code: 1, stdout: '' });
    expect(await run(['invoice', 'acme', ...data])).toEqual({ code: 0, stdout: INVOICE, stderr: '' });
  });

  test('a balance that a killed instance left behind its log is told to be so', async () => {
    const environment = await LmdbEnvironment.open({ directory: join(folder, 'data', 'log') });
    const topics = [{ name: TOPICS.events, partitions: 1, time: 'event' as const }];
    const log = await openLmdbLog({ environment, topics, now: Date.now });
    await log.append(TOPICS.events, 0, [{ key: 'acme', value: used(3, 'acme', 'n1'), time: BEGIN }]);
    await log.close();
    await environment.close();
    const { code, stdout, stderr } = await run(['balance', 'acme', ...data]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: BALANCE });
    expect(stderr).toMatch(/^events of the log that are not in this yet: 1; start the instance/);
  });
});
