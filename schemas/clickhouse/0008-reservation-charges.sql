-- What reservation entries of the ledger are made of (C4, F2): identity (account_id, charge_id).
CREATE TABLE IF NOT EXISTS reservation_charges
(
  charge_id String COMMENT '<entry_id>/<n>',
  entry_id String COMMENT 'of the ledger entry',
  account_id String,
  reservation_id String,
  cluster_id String,
  gpu_type String,
  quantity_ms UInt128 COMMENT 'GPU-milliseconds',
  unit_price Decimal(38, 6),
  amount Decimal(38, 9),
  invoice_month String COMMENT 'YYYY-MM',
  `partition` UInt32,
  `offset` UInt64,
  idx UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (account_id, invoice_month, charge_id)
SETTINGS
  fsync_after_insert = 1,
  fsync_part_directory = 1,
  min_rows_to_fsync_after_merge = 1,
  min_compressed_bytes_to_fsync_after_merge = 1;

-- What became of the events that are not usage, and which usage was a duplicate (E4): identity (partition, offset).
-- Of usage that was rated rated_lines tells, of usage that was rejected rejections.
CREATE TABLE IF NOT EXISTS event_verdicts
(
  `partition` UInt32,
  `offset` UInt64,
  event String COMMENT '<source>/<id>',
  account_id Nullable(String),
  verdict String COMMENT 'applied, duplicate or rejected',
  reason Nullable(String),
  detail Nullable(String),
  `at` DateTime64(3, 'UTC') COMMENT 'the clock of the partition',
  INDEX event_bloom event TYPE bloom_filter GRANULARITY 4
)
ENGINE = ReplacingMergeTree
ORDER BY (`partition`, `offset`)
SETTINGS
  fsync_after_insert = 1,
  fsync_part_directory = 1,
  min_rows_to_fsync_after_merge = 1,
  min_compressed_bytes_to_fsync_after_merge = 1;

-- F2: every line of every invoice by SQL alone, open months included: usage and reservation charges.
CREATE VIEW IF NOT EXISTS v_all_invoice_lines AS
SELECT * FROM v_invoice_lines
UNION ALL
SELECT
  account_id,
  invoice_month AS month,
  'reservation' AS section,
  'cluster' AS resource_kind,
  cluster_id AS resource_id,
  gpu_type AS sku,
  'reservation' AS category,
  CAST(reservation_id AS Nullable(String)) AS reservation_id,
  false AS correction,
  sum(quantity_ms) AS quantity_ms,
  'gpu_hour' AS unit,
  unit_price,
  unit_price AS list_unit_price,
  sum(charges.amount) AS amount,
  sum(charges.amount) AS list_amount
FROM reservation_charges AS charges FINAL
GROUP BY account_id, invoice_month, cluster_id, gpu_type, reservation_id, unit_price;
