import { setTimeout as delay } from 'node:timers/promises';

/** Where an event that was acknowledged stands in the log. */
export interface Acknowledged {
  readonly offset: number;
  readonly id: string;
  readonly source: string;
}

export interface Load {
  /** Sends to this door from now on, until the next change. */
  sendTo(door: { readonly url: string; readonly key: string }): void;
  /** Stops after what is under way was acknowledged or given up. */
  stop(): Promise<void>;
  readonly acknowledged: readonly Acknowledged[];
  /** Events sent for the first time. */
  readonly sent: number;
}

/** Gives the next events, as lines; undefined if there are no more. */
export type NextBatch = () => readonly string[] | undefined;

export interface LoadPlan {
  readonly senders: number;
  /** Between a sender's batches. */
  readonly pauseMs: number;
  readonly next: NextBatch;
}

const GIVE_UP_MS = 20_000;
const RETRY_MS = 20;

/**
 * Sends batches by several senders at once, each again and again until the door has acknowledged it: what was under way
 * when a process was killed comes a second time.
 */
export function startLoad({ senders, pauseMs, next }: LoadPlan): Load {
  const acknowledged: Acknowledged[] = [];
  let door: { readonly url: string; readonly key: string } | undefined;
  let stopping = false;
  let sent = 0;

  async function send(lines: readonly string[]): Promise<void> {
    for (;;) {
      const target = door;
      if (target !== undefined) {
        const taken = await post(target, lines);
        if (taken !== undefined) {
          acknowledged.push(...taken);
          return;
        }
      }
      if (stopping && door === undefined) return;
      await delay(RETRY_MS);
    }
  }

  async function run(): Promise<void> {
    while (!stopping) {
      const lines = next();
      if (lines === undefined) return;
      sent += lines.length;
      await send(lines);
      await delay(pauseMs);
    }
  }

  const running = Promise.all(Array.from({ length: senders }, run));
  return {
    sendTo: (to) => {
      door = to;
    },
    stop: async () => {
      stopping = true;
      await running;
    },
    acknowledged,
    get sent() {
      return sent;
    },
  };
}

interface PostAnswer {
  readonly results: readonly {
    readonly status: string;
    readonly id: string;
    readonly source: string;
    readonly position?: { readonly offset: number };
  }[];
}

/** What was acknowledged; undefined if the door did not answer, or was too busy: to be sent again. */
async function post(
  { url, key }: { readonly url: string; readonly key: string },
  lines: readonly string[],
): Promise<readonly Acknowledged[] | undefined> {
  let text: string;
  try {
    const answer = await fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
      signal: AbortSignal.timeout(GIVE_UP_MS),
    });
    text = await answer.text();
    if (answer.status === 429 || answer.status === 503) return undefined;
    if (answer.status !== 202) throw new UnexpectedAnswer(`${answer.status}: ${text.slice(0, 500)}`);
  } catch (fault) {
    if (fault instanceof UnexpectedAnswer) throw fault;
    return undefined;
  }
  const { results }: PostAnswer = JSON.parse(text);
  return results.flatMap(({ status, id, source, position }) =>
    status === 'accepted' && position !== undefined ? [{ offset: position.offset, id, source }] : [],
  );
}

class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
}
