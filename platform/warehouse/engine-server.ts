import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Session } from 'chdb';
import { createEngineHttp } from './engine-http.ts';
import type { EngineMessage, EngineServerConfig } from './engine-messages.ts';
import { createEngineRunner } from './engine-run.ts';

/**
 * The process that is the engine: opens the data directory and serves it on loopback. Its one argument is an
 * EngineServerConfig as JSON. Forked, it ends when its parent tells it to, or is gone, since an orphan would hold the
 * directory against the next start; started without a channel to a parent, it stands alone and ends by a signal.
 */
async function main(config: EngineServerConfig): Promise<void> {
  const standsAlone = process.send === undefined;
  // A terminal's Ctrl-C, or a service manager's TERM, reaches parent and child: the parent decides when this ends.
  // Before it serves, an engine that stands alone ends by the signal itself: there is nothing to finish.
  if (!standsAlone) for (const signal of SIGNALS) process.on(signal, () => {});
  // No orderly end: nobody waits for an answer any more, what was acknowledged is on disk, and the lock must go now.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

  const session = await openDirectory(config);
  await session.queryAsync('SELECT 1');
  const server = createEngineHttp(createEngineRunner(config.dataDir, config.limits.bodyBytesMax), config.limits);
  server.listen(config.port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listening on no port');

  const stop = (): void => {
    server.close(() => {
      session.close();
      process.exit(0);
    });
    server.closeIdleConnections();
  };
  process.on('message', (message: EngineMessage) => {
    if (message.kind === 'stop') stop();
  });
  if (standsAlone) for (const signal of SIGNALS) process.once(signal, stop);
  report({ kind: 'ready', port: address.port });
}

/** Opens the directory; a predecessor that is dying may hold its lock a little longer. */
async function openDirectory(config: EngineServerConfig): Promise<Session> {
  const tries = Math.max(1, Math.ceil(config.lockWaitMs / LOCK_RETRY_MS));
  for (let attempt = 1; ; attempt++) {
    try {
      return new Session(config.dataDir);
    } catch (error) {
      if (attempt < tries) {
        await delay(LOCK_RETRY_MS);
        continue;
      }
      report({ kind: 'directory-in-use', message: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const LOCK_RETRY_MS = 100;

function report(message: EngineMessage): void {
  process.send?.(message);
}

await main(JSON.parse(process.argv[2] ?? ''));
