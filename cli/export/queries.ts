/** All of a partition's rows that come from before an offset of its log. */
const BEFORE = 'partition = {partition:UInt32} AND offset < {end:UInt64}';

/** R7: in the order of the log. Tags by name and value apart: as an object they would lose their order. */
export const RATED = `
SELECT line_id, event, account_id, resource_kind, resource_id, node_id, sku, category, reservation_id, \`start\`, \`end\`,
  quantity_ms, unit, unit_price, list_unit_price, amount, list_amount, invoice_month, correction,
  mapKeys(tags) AS tag_names, mapValues(tags) AS tag_values, has_tags
FROM rated_lines FINAL WHERE ${BEFORE} ORDER BY offset, idx`;

export const LEDGER = `
SELECT entry_id, account_id, time, kind, amount, ref, invoice_month
FROM ledger_entries FINAL WHERE ${BEFORE} ORDER BY offset, idx`;

/** C1: every opened account has an update (B2); one without entries has sums of 0. */
export const BALANCES = `
SELECT account_id, burn_rate, level, granted, refunded, charged, expired
FROM
(
  SELECT account_id, argMax(burn_rate, sequence) AS burn_rate, argMax(level, sequence) AS level
  FROM balance_updates FINAL WHERE ${BEFORE} GROUP BY account_id
) AS latest
LEFT JOIN
(
  SELECT account_id,
    sumIf(amount, kind = 'grant') AS granted,
    sumIf(amount, kind = 'refund') AS refunded,
    -sumIf(amount, kind IN ('usage', 'reservation')) AS charged,
    -sumIf(amount, kind = 'expiry') AS expired
  FROM ledger_entries FINAL WHERE ${BEFORE} GROUP BY account_id
) AS sums USING account_id
ORDER BY account_id`;

/** X: what time alone brings after the last event counts up to the clock; the pipeline's own alerts are live's (N9). */
export const COMMANDS = `
SELECT body FROM commands FINAL
WHERE ${BEFORE} AND issued_at <= fromUnixTimestamp64Milli({clock:Int64}) AND resource_kind != 'pipeline'
ORDER BY issued_at, account_id, ordinal`;

export const REJECTED = `
SELECT offset, reason, detail, event FROM rejections FINAL WHERE ${BEFORE} ORDER BY offset`;

export const COUNTS = `
SELECT
  (SELECT count() FROM rejections FINAL WHERE ${BEFORE}) AS rejected,
  (SELECT count() FROM event_verdicts FINAL WHERE ${BEFORE} AND verdict = 'duplicate') AS duplicates`;

/**
 * F1-F3: by account and month, what an invoice is made of: a final one whole (part 0), and of a month that is still open
 * at the clock its totals (part 1) and its lines in the order of services/rater/core/invoices.ts (part 2).
 */
export function invoiceParts(accountId: string | undefined): string {
  const of = accountId === undefined ? BEFORE : `${BEFORE} AND account_id = {account:String}`;
  return `
SELECT * FROM
(
  SELECT account_id, month, 0 AS part, body, ${NO_TOTALS}, ${NO_LINE}
  FROM invoices_final FINAL WHERE ${of}
  UNION ALL
  SELECT account_id, month, 1 AS part, '' AS body,
    sumIf(moved, kind = 'grant') AS granted,
    sumIf(moved, kind = 'refund') AS refunded,
    -sumIf(moved, kind = 'expiry') AS expired,
    ${NO_LINE}
  FROM
  (
    SELECT account_id, assumeNotNull(invoice_month) AS month, kind, amount AS moved
    FROM ledger_entries FINAL WHERE ${of} AND invoice_month IS NOT NULL AND invoice_month >= {open:String}
    UNION ALL
    SELECT DISTINCT account_id, invoice_month AS month, 'line' AS kind, ${ZERO} AS moved
    FROM rated_lines FINAL WHERE ${of} AND invoice_month >= {open:String}
    UNION ALL
    SELECT DISTINCT account_id, invoice_month AS month, 'line' AS kind, ${ZERO} AS moved
    FROM reservation_charges FINAL WHERE ${of} AND invoice_month >= {open:String}
  )
  GROUP BY account_id, month
  UNION ALL
  SELECT account_id, invoice_month AS month, 2 AS part, '' AS body, ${NO_TOTALS},
    if(correction, 'correction', category) AS section,
    resource_kind, resource_id, sku, category, reservation_id, correction,
    sum(quantity_ms) AS quantity_ms, unit, unit_price, list_unit_price,
    sum(rated_lines.amount) AS amount, sum(rated_lines.list_amount) AS list_amount
  FROM rated_lines FINAL WHERE ${of} AND invoice_month >= {open:String}
  GROUP BY account_id, invoice_month, resource_kind, resource_id, sku, category, reservation_id, correction, unit,
    unit_price, list_unit_price
  UNION ALL
  SELECT account_id, invoice_month AS month, 2 AS part, '' AS body, ${NO_TOTALS},
    'reservation' AS section,
    'cluster' AS resource_kind, cluster_id AS resource_id, gpu_type AS sku, 'reservation' AS category,
    CAST(reservation_id AS Nullable(String)) AS reservation_id, false AS correction,
    sum(quantity_ms) AS quantity_ms, 'gpu_hour' AS unit, unit_price, unit_price AS list_unit_price,
    sum(reservation_charges.amount) AS amount, sum(reservation_charges.amount) AS list_amount
  FROM reservation_charges FINAL WHERE ${of} AND invoice_month >= {open:String}
  GROUP BY account_id, invoice_month, cluster_id, gpu_type, reservation_id, unit_price
)
ORDER BY account_id, month, part,
  indexOf(['reservation', 'reserved', 'burst', 'on_demand', 'storage', 'correction'], section),
  resource_kind, resource_id, sku, category, ifNull(reservation_id, ''), unit_price, list_unit_price`;
}

const ZERO = "toDecimal128('0', 9)";
const NO_PRICE = "toDecimal128('0', 6)";
const NO_TOTALS = `${ZERO} AS granted, ${ZERO} AS refunded, ${ZERO} AS expired`;
const NO_LINE =
  "'' AS section, '' AS resource_kind, '' AS resource_id, '' AS sku, '' AS category, " +
  'CAST(NULL AS Nullable(String)) AS reservation_id, false AS correction, toUInt128(0) AS quantity_ms, ' +
  `'' AS unit, ${NO_PRICE} AS unit_price, ${NO_PRICE} AS list_unit_price, ${ZERO} AS amount, ${ZERO} AS list_amount`;
