-- What was rated (R7): one row a rated line, identity line_id.
-- A line may be written again by a restart, always with the same content: read it by FINAL, or by v_rated_lines.
-- line_id holds the start in ms, so the partition is fixed by the row's identity, as FINAL needs it to be.
-- Plain strings: LowCardinality made inserts a fifth slower, and LZ4 stores repeated words in next to nothing.
-- quantity_ms is GPU-ms or GiB-ms; 2^40 GiB for a day is 9.5e19, more than UInt64 holds.
CREATE TABLE IF NOT EXISTS rated_lines
(
  line_id String,
  event String COMMENT '<source>/<id> of the sample',
  account_id String,
  resource_kind String COMMENT 'cluster or volume',
  resource_id String,
  node_id Nullable(String),
  sku String COMMENT 'gpu_type, or storage',
  category String COMMENT 'reserved, burst, on_demand or storage',
  reservation_id Nullable(String),
  `start` DateTime64(3, 'UTC'),
  `end` DateTime64(3, 'UTC'),
  quantity_ms UInt128,
  unit String COMMENT 'gpu_hour or gib_month',
  unit_price Decimal(38, 6),
  list_unit_price Decimal(38, 6),
  amount Decimal(38, 9),
  list_amount Decimal(38, 9),
  invoice_month String COMMENT 'YYYY-MM',
  correction Bool,
  tags Map(String, String),
  has_tags Bool COMMENT 'false: the sample had no tags at all, true: it had some, or {}',
  `partition` UInt32,
  `offset` UInt64 COMMENT 'of the event that caused the row',
  idx UInt32 COMMENT 'order within that event',
  rules_version UInt16
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(`start`)
ORDER BY (account_id, invoice_month, line_id)
SETTINGS
  fsync_after_insert = 1,
  fsync_part_directory = 1,
  min_rows_to_fsync_after_merge = 1,
  min_compressed_bytes_to_fsync_after_merge = 1;
