-- Commands and alerts as they were issued (K): identity command_id. A member that K leaves out is null here.
-- offset is that of the balance update last folded for the account, ordinal the order of issue within the account.
-- account_id is '' for an alert about the pipeline itself, which belongs to no account (N9).
CREATE TABLE IF NOT EXISTS commands
(
  command_id String,
  command String,
  alert Nullable(String),
  account_id String,
  resource_kind String,
  resource_id String,
  scope Nullable(String),
  gpus Nullable(UInt64),
  keep Nullable(String) COMMENT 'JSON object: gpu_type -> gpus',
  reason String,
  notice_id Nullable(String),
  episode Nullable(UInt64),
  sequence UInt64,
  attempt UInt32,
  issued_at DateTime64(3, 'UTC'),
  balance Decimal(38, 9),
  audience String,
  detail Nullable(String) COMMENT 'JSON',
  body String COMMENT 'the whole command, one canonical JSON line',
  `partition` UInt32,
  `offset` UInt64,
  ordinal UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (account_id, command_id)
SETTINGS
  fsync_after_insert = 1,
  fsync_part_directory = 1,
  min_rows_to_fsync_after_merge = 1,
  min_compressed_bytes_to_fsync_after_merge = 1;
