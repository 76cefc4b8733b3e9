-- Final invoices (F3): identity (account_id, month). body is the invoice as one canonical JSON line, hash is over it.
CREATE TABLE IF NOT EXISTS invoices_final
(
  account_id String,
  month String COMMENT 'YYYY-MM',
  body String,
  hash String,
  `partition` UInt32,
  `offset` UInt64,
  idx UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (account_id, month)
SETTINGS
  fsync_after_insert = 1,
  fsync_part_directory = 1,
  min_rows_to_fsync_after_merge = 1,
  min_compressed_bytes_to_fsync_after_merge = 1;
