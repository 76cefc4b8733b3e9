-- What the rater rejected (E4), whole: identity (partition, offset) of the event in the log.
CREATE TABLE IF NOT EXISTS rejections
(
  `partition` UInt32,
  `offset` UInt64,
  account_id Nullable(String),
  reason String,
  detail String,
  event String COMMENT 'verbatim: the JSON object, or the text if it is none',
  `at` DateTime64(3, 'UTC') COMMENT 'the clock of the partition'
)
ENGINE = ReplacingMergeTree
ORDER BY (`partition`, `offset`)
SETTINGS
  fsync_after_insert = 1,
  fsync_part_directory = 1,
  min_rows_to_fsync_after_merge = 1,
  min_compressed_bytes_to_fsync_after_merge = 1;
