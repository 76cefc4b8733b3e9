-- A row is merged into larger parts about half as often as by default (5): while a backlog is worked off, merges took as
-- much of the processor as inserts. In return there are more parts to read, which FINAL looks at together.
ALTER TABLE rated_lines MODIFY SETTING merge_selector_base = 10;

ALTER TABLE ledger_entries MODIFY SETTING merge_selector_base = 10;

ALTER TABLE balance_updates MODIFY SETTING merge_selector_base = 10;
