import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a test looks at of a span. */
export interface SpanTold {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: SpanTold['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly SpanTold[] }[];
  }[];
}

/** A receiver of OTLP over HTTP as JSON, on loopback. */
export class Collector {
  readonly spans: SpanTold[] = [];
  readonly services = new Set<string>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, answer) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.#take(JSON.parse(Buffer.concat(chunks).toString('utf8')));
        answer.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  /** The names of the spans directly within one, sorted. */
  within(parent: SpanTold): string[] {
    return this.spans
      .filter(({ parentSpanId }) => parentSpanId === parent.spanId)
      .map(({ name }) => name)
      .sort();
  }

  #take(body: Body): void {
    for (const { resource, scopeSpans } of body.resourceSpans) {
      const service = resource.attributes.find(({ key }) => key === 'service.name');
      this.services.add(JSON.stringify(service?.value));
      this.spans.push(...scopeSpans.flatMap(({ spans }) => spans));
    }
  }
}
