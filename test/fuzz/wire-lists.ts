const CHUNKED = 'Transfer-Encoding: chunked';

/** Heads that no server may act on; LENGTH stands for the length of the body. */
export const BROKEN_HEADS: readonly (readonly string[])[] = [
  ['Content-Length: LENGTH', 'Content-Length: 1'],
  ['Content-Length: LENGTH', CHUNKED],
  ['Content-Length: -1'],
  ['Content-Length: 0x10'],
  ['Content-Length: 99999999999999999999999999'],
  ['Content-Length: LENGTH', 'Nothing'],
  ['Content-Length: LENGTH', ' folded: line'],
  ['Content-Length: LENGTH', 'null: \0'],
  ['Content-Length: LENGTH', 'bad name: x'],
  ['Content-Length: LENGTH', ': no name'],
  ['Content-Length: LENGTH', `long: ${'x'.repeat(20_000)}`],
  ['Content-Length: LENGTH', `${'n'.repeat(20_000)}: x`],
  ['Transfer-Encoding: gzip, chunked, identity'],
  ['Transfer-Encoding: xchunked'],
  // The body's first line is then taken for the size of a chunk.
  [CHUNKED],
];

/** Lines of a head that mean nothing to the door, or that are none. */
export const JUNK_LINES: readonly string[] = [
  'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  `traceparent: ff-${'\xff'.repeat(500)}`,
  'tracestate: ,,=;',
  '__proto__: x',
  'constructor: x',
  'Expect: 100-continue',
  'Expect: nothing',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'X-Forwarded-For: \xe9\x00',
  'Authorization: Bearer none',
  'Content-Type: text/plain',
  'Content-Encoding: gzip',
  'Host: y',
  'Connection: upgrade',
  'Keep-Alive: timeout=99999999999',
  'TE: trailers',
  `Cookie: ${'a=b;'.repeat(1000)}`,
];

/** What is no request at all, or none of this API. */
export const NO_REQUESTS: readonly string[] = [
  '\r\n\r\n\r\n',
  '\0\0\0\0',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'GET /\r\n\r\n',
  'GET / HTTP/9.9\r\n\r\n',
  'get /livez HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /livez HTTP/1.1\r\n\r\n',
  'GET /livez HTTP/1.1\nHost: x\n\n',
  'GET http://x/livez HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET //livez HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /v1%2fevents%2f..%2f%00 HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /v1/events/\0/\0 HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n',
  `GET /${'x'.repeat(30_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  'CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n',
  'TRACE /v1/events HTTP/1.1\r\nHost: x\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n',
  'HEAD /v1/events HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}',
  `GET /livez HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(2500)}\r\n`,
];
