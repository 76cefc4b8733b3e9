import { z } from 'zod';
import type { EventLog } from '../../platform/log/port.ts';
import { type Instant, parseInstant } from '../../services/shared/time.ts';
import { TOPICS } from '../../services/shared/topics.ts';

export interface LastCommand {
  readonly what: string;
  readonly at: Instant;
}

const PARTITION = 0;
const CONTROL_TOPICS = [TOPICS.alerts, TOPICS.compute, TOPICS.storage] as const;
/** Of what was issued before, so much is looked at: the newest of each account is among it, or is long past. */
const TAIL_RECORDS = 2000;
const READ_LIMITS = { recordsMax: 1000, bytesMax: 4 << 20 } as const;

const record = z.object({
  command: z.string(),
  alert: z.string().optional(),
  account_id: z.string(),
  resource: z.object({ kind: z.string(), id: z.string() }),
  scope: z.string().optional(),
  issued_at: z.string(),
});

/** Follows the control topics and remembers what was issued last for each account. */
export class LastCommands {
  readonly #log: Pick<EventLog, 'read' | 'startOffset' | 'endOffset'>;
  readonly #offsets = new Map<string, number>();
  readonly #byAccount = new Map<string, LastCommand>();

  constructor(log: Pick<EventLog, 'read' | 'startOffset' | 'endOffset'>) {
    this.#log = log;
  }

  of(accountId: string): LastCommand | undefined {
    return this.#byAccount.get(accountId);
  }

  /** Reads what came since. */
  async refresh(): Promise<void> {
    for (const topic of CONTROL_TOPICS) {
      let offset = this.#offsets.get(topic) ?? (await this.#tail(topic));
      for (;;) {
        const records = await this.#log.read(topic, PARTITION, offset, READ_LIMITS);
        for (const { value } of records) this.#take(value.toString('utf8'));
        offset += records.length;
        this.#offsets.set(topic, offset);
        if (records.length === 0) break;
      }
    }
  }

  async #tail(topic: string): Promise<number> {
    const start = await this.#log.startOffset(topic, PARTITION);
    return Math.max(start, (await this.#log.endOffset(topic, PARTITION)) - TAIL_RECORDS);
  }

  /** A command says more than the alerts that come with it at the same instant. */
  #take(line: string): void {
    const {
      command,
      alert,
      account_id: accountId,
      resource,
      scope,
      issued_at: issuedAt,
    } = record.parse(JSON.parse(line));
    const at = parseInstant(issuedAt) ?? 0;
    const known = this.#byAccount.get(accountId);
    if (known !== undefined && (known.at > at || (known.at === at && alert !== undefined))) return;
    const what = alert === undefined ? actionText(command, scope, resource.id) : alertText(alert, resource);
    this.#byAccount.set(accountId, { what, at });
  }
}

/** `pause ember-fold-1`, `decommission burst of harbor-encode-1`. */
export function actionText(command: string, scope: string | undefined, id: string): string {
  return scope === 'burst' ? `${command} burst of ${id}` : `${command} ${id}`;
}

/** Grants and reservations are the account's: their ids say little more than its own. */
function alertText(alert: string, resource: { readonly kind: string; readonly id: string }): string {
  return resource.kind === 'cluster' || resource.kind === 'volume' ? `alert ${alert} ${resource.id}` : `alert ${alert}`;
}
