import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { placeOf } from '../../cli/access/place.ts';
import { findDoor } from '../../cli/door/door.ts';
import { removeFolder, temporaryFolder } from '../e2e/support/embedded.ts';
import { run } from './support/run.ts';

const DOOR = 'http://127.0.0.1:4711';
const KEY = 'tg_operator_key-of-the-cluster';

let folder = '';
let broken = '';

beforeAll(() => {
  folder = temporaryFolder();
  const environment = { TOLLGATE_KAFKA_BROKERS: '127.0.0.1:19092', TOLLGATE_REDIS_NODES: '127.0.0.1:16379' };
  writeFileSync(join(folder, 'cluster.json'), JSON.stringify({ environment, door: DOOR }));
  writeFileSync(join(folder, 'operator.key'), `${KEY}\n`);
  broken = temporaryFolder();
  writeFileSync(join(broken, 'cluster.json'), '{"environment":');
});

afterAll(() => {
  removeFolder(folder);
  removeFolder(broken);
});

describe('what a command looks into', () => {
  test('is the cluster that a folder holds, else an instance, whatever the environment says', () => {
    const environment = { TOLLGATE_KAFKA_BROKERS: '10.0.0.7:9092' };
    expect(placeOf({ data: folder }, environment)).toMatchObject({
      ...{ kind: 'cluster', door: DOOR, name: folder },
      settings: { TOLLGATE_KAFKA_BROKERS: [{ host: '127.0.0.1', port: 19_092 }] },
    });
    const none = join(folder, 'none');
    expect(placeOf({ data: none }, environment)).toEqual({ kind: 'embedded', name: none, data: none });
  });

  test('is with --cluster what the environment says, whatever the folder holds', () => {
    const place = placeOf({ data: folder, cluster: true }, { TOLLGATE_KAFKA_BROKERS: '10.0.0.7:9092' });
    expect(place).toMatchObject({
      ...{ kind: 'cluster', door: undefined },
      settings: { TOLLGATE_KAFKA_BROKERS: [{ host: '10.0.0.7', port: 9092 }] },
    });
  });

  test('is told to be wrong where it is', async () => {
    const env = { TOLLGATE_KAFKA_BROKERS: 'nowhere', TOLLGATE_KAFKA_BROKER: 'misspelt' };
    const wrong = await run(['log', 'dump', '--cluster'], { env });
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    for (const name of Object.keys(env)) expect(wrong.stderr).toMatch(new RegExp(`at ${name}\\b`));
    const both = await run(['log', 'dump', '--cluster', '--data', folder]);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining("'--cluster' cannot be used with") });
    const unread = await run(['verify', '--data', broken]);
    expect(unread).toMatchObject({ code: 1, stderr: expect.stringContaining('stack_folder_invalid') });
  });
});

describe('the door of a cluster', () => {
  test('is that of its folder, with the key of its operator', () => {
    expect(findDoor({ data: folder }, undefined)).toEqual({ url: DOOR, key: KEY });
    expect(findDoor({ data: folder, url: 'http://localhost:8080/' }, 'tg_other_key')).toEqual({
      ...{ url: 'http://localhost:8080', key: 'tg_other_key' },
    });
  });

  test('is not known from the environment: it must be given, with a key', async () => {
    const door = { url: DOOR, key: KEY };
    expect(findDoor({ data: folder, cluster: true, url: DOOR, key: KEY }, undefined)).toEqual(door);
    expect(findDoor({ data: folder, cluster: true, url: DOOR }, KEY)).toEqual(door);
    const unknown = 'the environment names no door of the cluster, and no key';
    expect(() => findDoor({ data: folder, cluster: true, url: DOOR }, undefined)).toThrow(unknown);
    expect(() => findDoor({ data: folder, cluster: true }, KEY)).toThrow(unknown);
    const ran = await run(['redrive', '--cluster'], { env: { TOLLGATE_KEY: KEY } });
    expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(unknown) });
  });
});
