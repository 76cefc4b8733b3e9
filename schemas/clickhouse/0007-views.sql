-- Tables as finance reads them: each row once.
CREATE VIEW IF NOT EXISTS v_rated_lines AS SELECT * FROM rated_lines FINAL;
CREATE VIEW IF NOT EXISTS v_ledger AS SELECT * FROM ledger_entries FINAL;
CREATE VIEW IF NOT EXISTS v_balance_updates AS SELECT * FROM balance_updates FINAL;
CREATE VIEW IF NOT EXISTS v_commands AS SELECT * FROM commands FINAL;
CREATE VIEW IF NOT EXISTS v_rejections AS SELECT * FROM rejections FINAL;
CREATE VIEW IF NOT EXISTS v_invoices_final AS SELECT * FROM invoices_final FINAL;

-- F2: usage lines of an invoice, the sum over R6's key. Section `reservation` is not here: a ledger entry has the
-- charge, but not the cluster, quantity and price of it; v_reservation_charges has its amounts, and once a month is
-- final v_final_invoice_lines has every section.
CREATE VIEW IF NOT EXISTS v_invoice_lines AS
SELECT
  account_id,
  invoice_month AS month,
  if(correction, 'correction', category) AS section,
  resource_kind,
  resource_id,
  sku,
  category,
  reservation_id,
  correction,
  sum(quantity_ms) AS quantity_ms,
  unit,
  unit_price,
  list_unit_price,
  sum(amount) AS amount,
  sum(list_amount) AS list_amount
FROM rated_lines FINAL
GROUP BY
  account_id, invoice_month, resource_kind, resource_id, sku, category, reservation_id, correction,
  unit, unit_price, list_unit_price;

-- Reservations charged, by account, month and reservation; extensions are in the month in which they were charged.
CREATE VIEW IF NOT EXISTS v_reservation_charges AS
SELECT account_id, assumeNotNull(invoice_month) AS month, ref AS reservation_id, -sum(amount) AS amount
FROM ledger_entries FINAL
WHERE kind = 'reservation'
GROUP BY account_id, invoice_month, ref;

-- F1: what an invoice adds up to. closing = opening + granted + refunded - expired - charges, and the next opens with it.
CREATE VIEW IF NOT EXISTS v_invoice_totals AS
SELECT
  account_id,
  month,
  closing_balance - granted - refunded + expired + charges AS opening_balance,
  granted,
  refunded,
  expired,
  charges,
  sum(granted + refunded - expired - charges)
    OVER (PARTITION BY account_id ORDER BY month ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS closing_balance
FROM
(
  SELECT
    account_id,
    month,
    sum(if(kind = 'grant', moved, 0)) AS granted,
    sum(if(kind = 'refund', moved, 0)) AS refunded,
    -sum(if(kind = 'expiry', moved, 0)) AS expired,
    -sum(if(kind IN ('usage', 'reservation'), moved, 0)) AS charges
  FROM
  (
    SELECT account_id, invoice_month AS month, 'usage' AS kind, -amount AS moved FROM rated_lines FINAL
    UNION ALL
    SELECT account_id, assumeNotNull(invoice_month) AS month, kind, amount AS moved
    FROM ledger_entries FINAL
    WHERE kind != 'usage'
  )
  GROUP BY account_id, month
);

-- The lines of final invoices, every section, as they were fixed.
CREATE VIEW IF NOT EXISTS v_final_invoice_lines AS
SELECT
  account_id,
  month,
  line_number,
  JSONExtractString(line, 'section') AS section,
  JSONExtractString(line, 'resource_kind') AS resource_kind,
  JSONExtractString(line, 'resource_id') AS resource_id,
  JSONExtractString(line, 'sku') AS sku,
  JSONExtractString(line, 'category') AS category,
  JSONExtract(line, 'reservation_id', 'Nullable(String)') AS reservation_id,
  JSONExtract(line, 'correction', 'Bool') AS correction,
  toUInt128(JSONExtractString(line, 'quantity_ms')) AS quantity_ms,
  JSONExtractString(line, 'unit') AS unit,
  toDecimal128(JSONExtractString(line, 'unit_price'), 6) AS unit_price,
  toDecimal128(JSONExtractString(line, 'list_unit_price'), 6) AS list_unit_price,
  toDecimal128(JSONExtractString(line, 'amount'), 9) AS amount,
  toDecimal128(JSONExtractString(line, 'list_amount'), 9) AS list_amount
FROM invoices_final FINAL
ARRAY JOIN
  JSONExtractArrayRaw(body, 'lines') AS line,
  arrayEnumerate(JSONExtractArrayRaw(body, 'lines')) AS line_number;
