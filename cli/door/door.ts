import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { readClusterFile } from '../cluster/cluster.ts';
import { instancePaths, operatorKey, runningInstance } from '../embedded/instance.ts';
import { CommandFailed } from '../failure.ts';
import { BadCall } from '../replay.ts';

/** An HTTP door, and the key to show there. */
export interface Door {
  readonly url: string;
  readonly key: string;
}

export interface DoorOptions {
  /** Where the instance or cluster is looked for if no url is given, and its operator's key if none is. */
  readonly data: string;
  /** What is meant is the cluster that the environment names, of which there is no folder. */
  readonly cluster?: boolean;
  readonly url?: string;
  readonly key?: string;
}

export interface DoorRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Goes on trying where nobody listens: a door that was there before may be starting again. */
  readonly patient?: boolean;
}

export interface DoorAnswer {
  readonly status: number;
  readonly text: string;
}

const REQUEST_MS = 90_000;
/** A door that takes nothing for so long is given up; each wait is bounded, whatever `Retry-After` says. */
const RETRIES_MAX = 120;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 10_000;
const AGAIN = new Set([429, 502, 503, 504]);
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** @throws BadCall without a usable url or key; CommandFailed if no instance runs on the folder */
export function findDoor(options: DoorOptions, environmentKey: string | undefined): Door {
  const { data, cluster = false } = options;
  const key = options.key ?? environmentKey;
  if (cluster && (options.url === undefined || key === undefined)) {
    throw new BadCall(
      'the environment names no door of the cluster, and no key: give --url, and --key or TOLLGATE_KEY',
    );
  }
  const url = options.url === undefined ? runningUrl(data) : checkedUrl(options.url);
  return { url, key: checkedKey(key ?? ownKey(data, url)) };
}

/** The operator's key, which stands in a file of this machine, is shown to doors of this machine only. */
function ownKey(data: string, url: string): string {
  const paths = instancePaths(data);
  if (!LOOPBACK.test(new URL(url).hostname)) {
    throw new BadCall(
      `no key: ${paths.operatorKey} is not shown to ${url}, which is not this machine; give --key or TOLLGATE_KEY`,
    );
  }
  try {
    return operatorKey(paths);
  } catch {
    throw new BadCall(
      `no key: ${paths.operatorKey} cannot be read; give --key, TOLLGATE_KEY, or the instance's folder with --data`,
    );
  }
}

function runningUrl(data: string): string {
  const url = readClusterFile(data)?.door ?? runningInstance(instancePaths(data))?.url;
  if (url !== undefined) return url;
  throw new CommandFailed(
    `no instance runs on ${data}: start one (tollgate start --data ${data}), or name its door with --url`,
  );
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new BadCall(`--url ${JSON.stringify(text)}: must be as http://127.0.0.1:8080`);
  }
  if (url.username !== '' || url.password !== '') throw new BadCall('--url: must hold no user or password; give --key');
  return url.href.replace(/\/+$/, '');
}

/** It is named nowhere, also not in what is said of a bad one. */
function checkedKey(key: string): string {
  if (/^[\x21-\x7e]{1,1024}$/.test(key)) return key;
  throw new BadCall('the key must be printable ASCII without spaces, as it stands in operator.key');
}

/**
 * Sends a request until the door takes it: again after 429, 503 and broken connections, a bounded number of times. What is
 * sent must do no harm when it comes twice.
 * @param interrupted ends the waiting
 * @throws CommandFailed if the door took it in none of many tries or cannot be reached, and when interrupted
 */
export async function askDoor(
  door: Door,
  path: string,
  request: DoorRequest,
  interrupted: AbortSignal,
): Promise<DoorAnswer> {
  let failure = '';
  for (let attempt = 0; attempt <= RETRIES_MAX; attempt += 1) {
    if (interrupted.aborted) throw new CommandFailed('interrupted');
    const answer = await askOnce(door, path, request);
    if (answer.kind === 'answered' && !AGAIN.has(answer.status)) return answer;
    if (answer.kind === 'unreachable' && request.patient !== true) {
      throw new CommandFailed(`${door.url} cannot be reached (${answer.why}): is it running, and is this its address?`);
    }
    failure = answer.kind === 'answered' ? problemText(answer) : answer.why;
    await delay(waitOf(attempt, answer.retryAfterMs), undefined, { signal: interrupted }).catch(() => undefined);
  }
  throw new CommandFailed(
    `${door.url} took nothing in ${RETRIES_MAX} tries (${failure}): look at its log and its /readyz`,
  );
}

type Attempt =
  | ({ readonly kind: 'answered'; readonly retryAfterMs: number | undefined } & DoorAnswer)
  | {
      readonly kind: 'unreachable';
      readonly why: string;
      readonly retryAfterMs: undefined;
    };

async function askOnce(door: Door, path: string, request: DoorRequest): Promise<Attempt> {
  try {
    const answer = await fetch(`${door.url}${path}`, {
      method: request.method ?? 'GET',
      headers: { ...request.headers, authorization: `Bearer ${door.key}` },
      body: request.body ?? null,
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    const seconds = Number(answer.headers.get('retry-after') ?? Number.NaN);
    const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : undefined;
    return { kind: 'answered', status: answer.status, text: await answer.text(), retryAfterMs };
  } catch (fault) {
    return { kind: 'unreachable', why: reasonOf(fault), retryAfterMs: undefined };
  }
}

function waitOf(attempt: number, retryAfterMs: number | undefined): number {
  const wanted = retryAfterMs ?? RETRY_MS_MIN * 2 ** Math.min(attempt, 20);
  return Math.min(Math.max(wanted, RETRY_MS_MIN), RETRY_MS_MAX);
}

function reasonOf(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  const { cause } = fault;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return cause instanceof Error ? cause.message : fault.message;
}

/** What a door answered, as what it should be. @throws CommandFailed for anything else: something else listens there */
export function readAnswer<Output>(door: Door, { status, text }: DoorAnswer, schema: z.ZodType<Output>): Output {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new CommandFailed(`${door.url} answered ${status}, but not as a door of Tollgate does: is this its address?`);
  }
}

const problem = z.object({ title: z.string(), detail: z.string(), remedy: z.string() });

/** What a door said that did not do what was asked: RFC 9457, or whatever else it was. */
export function problemText({ status, text }: DoorAnswer): string {
  try {
    const { title, detail, remedy } = problem.parse(JSON.parse(text));
    return `${status} ${title}: ${detail}; ${remedy}`;
  } catch {
    return `${status}: ${text.slice(0, 300)}`;
  }
}
