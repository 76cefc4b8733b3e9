import { connect } from 'node:net';
import type { Readiness } from './plan.ts';

/** How long one question may take, ms. */
const ASK_MS = 2_000;

/** Asks once whether a server takes requests; never throws. */
export async function isReady(readiness: Readiness): Promise<boolean> {
  return readiness.kind === 'http' ? answersOk(readiness.url) : takesConnections(readiness);
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ASK_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false; // refused, reset or late: not ready, for whatever reason
  }
}

function takesConnections({ port, ask }: Extract<Readiness, { kind: 'tcp' }>): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const settle = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(ASK_MS, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => {
      if (ask === undefined) settle(true);
      else socket.write(ask.send);
    });
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (ask !== undefined && answer.length >= ask.expect.length) settle(answer.startsWith(ask.expect));
    });
  });
}
