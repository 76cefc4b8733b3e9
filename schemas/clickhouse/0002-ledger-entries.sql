-- Every movement of a balance (C5): identity (account_id, entry_id). The sum of an account's amounts is its balance.
-- consumed: which grants a charge took, and how much of each (C2); what found no grant is debt and is not in it.
CREATE TABLE IF NOT EXISTS ledger_entries
(
  entry_id String,
  account_id String,
  time DateTime64(3, 'UTC'),
  kind String COMMENT 'grant, usage, reservation, expiry or refund',
  amount Decimal(38, 9) COMMENT 'signed',
  ref String COMMENT 'grant, reservation, or <source>/<id> of the sample',
  invoice_month Nullable(String) COMMENT 'null for usage, whose lines may belong to several',
  consumed Array(Tuple(grant_id String, amount Decimal(38, 9))),
  `partition` UInt32,
  `offset` UInt64 COMMENT 'of the event that caused the row or moved the clock to it',
  idx UInt32 COMMENT 'order within that event'
)
ENGINE = ReplacingMergeTree
ORDER BY (account_id, entry_id)
SETTINGS
  fsync_after_insert = 1,
  fsync_part_directory = 1,
  min_rows_to_fsync_after_merge = 1,
  min_compressed_bytes_to_fsync_after_merge = 1;
