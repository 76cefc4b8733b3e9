/** The catalogue of what the door answers when it does not do what was asked: status, meaning, remedy. */
export const PROBLEMS = {
  malformed: {
    status: 400,
    title: 'Not an event',
    remedy: 'send a CloudEvents 1.0 JSON object as docs/AGENTS.md shows',
  },
  unknown_type: {
    status: 400,
    title: 'No such type of event',
    remedy: 'use one of the types listed in docs/SPEC.md E',
  },
  invalid_field: {
    status: 400,
    title: 'A field is wrong',
    remedy: 'correct the field that detail names, and send again',
  },
  bad_request: { status: 400, title: 'Not a request of this API', remedy: 'compare it with /openapi.yaml' },
  unauthenticated: {
    status: 401,
    title: 'Unknown key',
    remedy: 'send "Authorization: Bearer <key>" with a key that is in force',
  },
  forbidden: {
    status: 403,
    title: 'Not with this key',
    remedy: 'use a key of the role, and for the account, that detail names',
  },
  not_found: { status: 404, title: 'Not found', remedy: 'check the path and the ids in it' },
  body_too_large: { status: 413, title: 'Too much at once', remedy: 'split it into smaller requests' },
  unsupported_media_type: {
    status: 415,
    title: 'Not a form that is read here',
    remedy:
      'use application/cloudevents+json, application/cloudevents-batch+json, application/x-ndjson or application/json, as UTF-8, plain or with Content-Encoding: gzip',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests with this key',
    remedy: 'wait as Retry-After says; send larger batches',
  },
  log_busy: { status: 429, title: 'The log is behind', remedy: 'wait as Retry-After says, then send the same again' },
  door_busy: {
    status: 429,
    title: 'Too much is under way',
    remedy: 'wait as Retry-After says, then send the same again',
  },
  internal: { status: 500, title: 'A fault of this server', remedy: 'send the same again; repeats do no harm' },
  not_ready: { status: 503, title: 'Not ready yet', remedy: 'wait as Retry-After says, then send the same again' },
  stopping: { status: 503, title: 'Stopping', remedy: 'send the same again to another instance, or after the restart' },
  overloaded: { status: 503, title: 'Overloaded', remedy: 'wait as Retry-After says, then send the same again' },
  log_failed: { status: 503, title: 'The log did not take it', remedy: 'send the same again; repeats do no harm' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** RFC 9457, with a code that does not change and a remedy. */
export interface ProblemBody {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly remedy: string;
}

export const PROBLEM_TYPE = 'application/problem+json';

/** Thrown where a request ends without what it asked for; the door's error handler turns it into the answer. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly retryAfterMs: number | undefined;

  constructor(code: ProblemCode, detail: string, retryAfterMs?: number, options?: ErrorOptions) {
    super(detail, options);
    this.name = 'Problem';
    this.code = code;
    this.status = PROBLEMS[code].status;
    this.retryAfterMs = retryAfterMs;
  }
}

export function problemBody(code: ProblemCode, detail: string): ProblemBody {
  const { title, status, remedy } = PROBLEMS[code];
  return { type: 'about:blank', title, status, code, detail, remedy };
}

/** `Retry-After` in whole seconds, at least one. */
export function retryAfterSeconds(retryAfterMs: number): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1000));
}
