import fastify from 'fastify';
import type { Registry } from 'prom-client';

export interface OperationsOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly metrics: Registry;
  /** What keeps the service from its work, in words; none: it is ready. */
  readonly notReady: () => readonly string[];
}

export interface OperationsServer {
  readonly url: string;
  close(): Promise<void>;
}

/** For orchestrators and Prometheus: `/livez` (the process answers), `/readyz` (it does its work), `/metrics`. */
export async function startOperationsServer(options: OperationsOptions): Promise<OperationsServer> {
  const server = fastify({ forceCloseConnections: true });
  server.get('/livez', () => ({ status: 'live' }));
  server.get('/readyz', (_request, reply) => {
    const reasons = options.notReady();
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons });
  });
  server.get('/metrics', async (_request, reply) =>
    reply.type(options.metrics.contentType).send(await options.metrics.metrics()),
  );
  const url = await server.listen({ host: options.host, port: options.port });
  return { url, close: () => server.close() };
}
