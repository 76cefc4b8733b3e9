import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { StackError } from './errors.ts';

/** Below the range that systems take source ports from: a server that was killed finds its port free again. */
const RANGE = { from: 10_000, to: 32_000 } as const;
const TRIES = 200;

/** Free ports of 127.0.0.1, all different. @throws StackError `stack_port_in_use` if it finds none */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; tries < TRIES; tries++) {
    if (found.size === count) return [...found];
    const port = randomInt(RANGE.from, RANGE.to);
    if (await isFree(port)) found.add(port);
  }
  throw new StackError('stack_port_in_use', `tried ${TRIES} ports from ${RANGE.from} to ${RANGE.to}`);
}

/** Whether a server could listen on the port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
