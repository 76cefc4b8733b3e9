import type { StandingOrder } from '../shared/contracts/account-enforcement.ts';
import type { PlannedAction } from '../shared/contracts/command.ts';
import { jsonText } from '../shared/contracts/json-text.ts';
import { formatAmount, formatPrice, type Nanos } from '../shared/money.ts';
import { formatInstant } from '../shared/time.ts';
import type { AccountView, EventFate, EventVerdict, Page, UsageLine } from './ports.ts';
import type { Submitted } from './submit.ts';

const HUNDREDTHS = 100n;

/** `GET /v1/accounts/{id}`. */
export function accountJson(view: AccountView) {
  return {
    account_id: view.accountId,
    as_of: formatInstant(view.asOf),
    balance: formatAmount(view.balanceNanos),
    granted: formatAmount(view.grantedNanos),
    refunded: formatAmount(view.refundedNanos),
    charged: formatAmount(view.chargedNanos),
    expired: formatAmount(view.expiredNanos),
    burn_rate: formatAmount(view.burnRateNanos),
    runway_hours: runwayHours(view.balanceNanos, view.burnRateNanos),
    level: view.level,
    coming: view.coming.map(actionJson),
  };
}

/** Balance / burn rate in hours, cut to hundredths; 0 with nothing left, null without burn. A figure to show: N2 never divides. */
export function runwayHours(balanceNanos: Nanos, burnRateNanos: Nanos): number | null {
  if (burnRateNanos <= 0n) return null;
  return balanceNanos <= 0n ? 0 : Number((balanceNanos * HUNDREDTHS) / burnRateNanos) / Number(HUNDREDTHS);
}

function actionJson(action: PlannedAction) {
  return {
    resource: action.resource,
    command: action.command,
    scope: action.scope,
    gpus: action.gpus,
    at: formatInstant(action.at),
  };
}

/** A line of `GET /v1/accounts/{id}/usage`. */
export function usageLineJson(line: UsageLine) {
  return {
    resource_kind: line.resourceKind,
    resource_id: line.resourceId,
    sku: line.sku,
    category: line.category,
    reservation_id: line.reservationId,
    correction: line.correction,
    quantity_ms: line.quantityMs.toString(),
    unit: line.unit,
    unit_price: formatPrice(line.unitPriceMicros),
    list_unit_price: formatPrice(line.listUnitPriceMicros),
    amount: formatAmount(line.amountNanos),
    list_amount: formatAmount(line.listAmountNanos),
  };
}

/** `GET /v1/orders`: the commands as they stand on the control topics (K). */
export function ordersText(page: Page<StandingOrder>): string {
  return `{"orders":[${page.items.map(({ line }) => line).join(',')}],"next":${JSON.stringify(page.next ?? null)}}`;
}

export function fateJson(fate: EventFate) {
  return { account_id: fate.account, position: fate.position, verdict: fate.verdict };
}

/**
 * The answer to a POST, written by hand: one result for each event makes it the door's longest text.
 * @param verdicts by index, of events that were let in and waited for
 * @param onlyRejected leaves out what was let in (`Prefer: return=minimal`)
 */
export function submittedText(
  submitted: readonly Submitted[],
  verdicts: ReadonlyMap<number, EventVerdict>,
  onlyRejected: boolean,
): string {
  let accepted = 0;
  const results: string[] = [];
  for (const [index, event] of submitted.entries()) {
    if (event.kind === 'refused') {
      const { id, source, reason, detail } = event;
      results.push(JSON.stringify({ index, id, source, status: 'rejected', reason, detail }));
      continue;
    }
    accepted += 1;
    if (onlyRejected) continue;
    const { partition, offset } = event.position;
    const verdict = verdicts.get(index);
    const tail = verdict === undefined ? '' : `,"verdict":${JSON.stringify(verdict)}`;
    results.push(
      `{"index":${index},"id":"${event.id}","source":${jsonText(event.source)},"status":"accepted","position":{"partition":${partition},"offset":${offset}}${tail}}`,
    );
  }
  return `{"accepted":${accepted},"rejected":${submitted.length - accepted},"results":[${results.join(',')}]}`;
}
