import { z } from 'zod';
import { readAmount } from '../../services/shared/money.ts';
import type { AccountGlance } from './core/turn.ts';

export interface DoorClientOptions {
  readonly url: string;
  readonly key: string;
  readonly signal: AbortSignal;
}

/** What the rater would not apply, as the door tells it. */
export interface Refusal {
  readonly id: string;
  readonly reason: string;
  readonly detail: string;
}

/** The door took none of it, or did not answer: to be sent again. */
export class DoorUnavailable extends Error {
  override readonly name = 'DoorUnavailable';
}

const REQUEST_MS = 15_000;
const WAIT_MS = 5000;
const OK = 200;
const ACCEPTED = 202;
const NOT_FOUND = 404;

const answer = z.object({
  results: z.array(
    z.object({
      id: z.string().optional(),
      status: z.enum(['accepted', 'rejected']),
      reason: z.string().optional(),
      detail: z.string().optional(),
      verdict: z
        .object({ status: z.string(), reason: z.string().optional(), detail: z.string().optional() })
        .optional(),
    }),
  ),
});

const account = z.object({ balance: z.string(), level: z.enum(['active', 'low', 'exhausted']) });

/** The fleet's end of the HTTP door: what any agent and any customer can do. */
export class DoorClient {
  readonly #options: DoorClientOptions;

  constructor(options: DoorClientOptions) {
    this.#options = options;
  }

  /** Sends events and waits for what becomes of them. @throws DoorUnavailable */
  async send(events: readonly object[]): Promise<readonly Refusal[]> {
    const response = await this.#request(`/v1/events?wait=applied&timeout_ms=${WAIT_MS}`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify(events),
    });
    if (response.status !== ACCEPTED) throw new DoorUnavailable(`${response.status}: ${await response.text()}`);
    const { results } = answer.parse(await response.json());
    return results.flatMap(({ id, status, reason, detail, verdict }) => {
      if (status === 'rejected') return [{ id: id ?? '', reason: reason ?? '', detail: detail ?? '' }];
      if (verdict?.status !== 'rejected') return [];
      return [{ id: id ?? '', reason: verdict.reason ?? '', detail: verdict.detail ?? '' }];
    });
  }

  /** How an account stands; undefined if it was not opened. @throws DoorUnavailable */
  async glance(accountId: string): Promise<AccountGlance | undefined> {
    const response = await this.#request(`/v1/accounts/${encodeURIComponent(accountId)}`, {});
    if (response.status === NOT_FOUND) return undefined;
    if (response.status !== OK) throw new DoorUnavailable(`${response.status}: ${await response.text()}`);
    const { balance, level } = account.parse(await response.json());
    return { balanceNanos: readAmount(balance), level };
  }

  async #request(path: string, init: RequestInit): Promise<Response> {
    const { url, key, signal } = this.#options;
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${key}`);
    try {
      return await fetch(`${url}${path}`, {
        ...init,
        headers,
        signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]),
      });
    } catch (cause) {
      throw new DoorUnavailable(`${path}: no answer`, { cause });
    }
  }
}
