import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { PlannedProcess } from '../../../cli/stack/plan.ts';
import { freePorts } from '../../../cli/stack/ports.ts';

const SERVER = `
require('node:http').createServer((_, response) => response.end('ok')).listen(Number(process.argv[1]), '127.0.0.1');
`;

/** A small server in place of a large one: up at once, and ended by SIGTERM. */
export async function fakeServer(name: string, changes: Partial<PlannedProcess> = {}): Promise<PlannedProcess> {
  const [port = 0] = await freePorts(1);
  return {
    ...{ name, command: process.execPath, args: ['-e', SERVER, String(port)], env: {} },
    ...{ url: `http://127.0.0.1:${port}`, readiness: { kind: 'http', url: `http://127.0.0.1:${port}` } as const },
    ...{ restart: true, stopMs: 10_000 },
    ...changes,
  };
}

/** One that runs the script of Node that is given instead, on the port that it finds in `process.argv[1]`. */
export async function fakeProcess(name: string, script: string, changes: Partial<PlannedProcess> = {}) {
  const server = await fakeServer(name);
  return { ...server, args: ['-e', script, String(new URL(server.url).port)], ...changes };
}

/** A folder of the test's own, removed after it. */
export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-stack-'));
  folders.push(folder);
  return folder;
}

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Waits for a condition, by asking again; gives up loudly. */
export async function until<Result>(what: string, condition: () => Result | undefined | Promise<Result | undefined>) {
  for (let tries = 0; tries < 2_400; tries++) {
    const result = await condition();
    if (result !== undefined) return result;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`waited in vain until ${what}`);
}
