import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeLock } from '../../cli/stack/file-lock.ts';
import { identify } from '../../cli/stack/process-identity.ts';
import { ownFolder } from './support/fake-servers.ts';

const never = { waitMs: 0, onWait: () => undefined, fault: () => new Error('held by another') };

test('who comes second waits until the first gives it back', async () => {
  const path = join(ownFolder(), 'lock');
  const release = await takeLock(path, never);
  await expect(takeLock(path, never)).rejects.toThrow('held by another');
  let waited = 0;
  const second = takeLock(path, { ...never, waitMs: 60_000, onWait: () => waited++ });
  release();
  (await second)();
  expect(waited).toBe(1);
  expect(existsSync(path)).toBe(false);
});

test('a lock whose holder is gone is free, also when another process has its pid by now', async () => {
  const path = join(ownFolder(), 'lock');
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  writeFileSync(path, JSON.stringify({ pid, startedAtTicks: 1 }));
  (await takeLock(path, { ...never, waitMs: 1_000 }))();
  const own = identify(process.pid);
  writeFileSync(path, JSON.stringify({ pid: process.pid, startedAtTicks: (own?.startedAtTicks ?? 0) - 1 }));
  (await takeLock(path, { ...never, waitMs: 1_000 }))();
});
