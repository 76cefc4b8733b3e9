-- The account's part of each balance update (B1): identity (account_id, sequence).
CREATE TABLE IF NOT EXISTS balance_updates
(
  account_id String,
  sequence UInt64,
  `at` DateTime64(3, 'UTC') COMMENT 'the clock of the partition',
  balance Decimal(38, 9),
  burn_rate Decimal(38, 9) COMMENT 'USD an hour',
  level String COMMENT 'active, low or exhausted',
  `partition` UInt32,
  `offset` UInt64,
  idx UInt32
)
ENGINE = ReplacingMergeTree
ORDER BY (account_id, sequence)
SETTINGS
  fsync_after_insert = 1,
  fsync_part_directory = 1,
  min_rows_to_fsync_after_merge = 1,
  min_compressed_bytes_to_fsync_after_merge = 1;
