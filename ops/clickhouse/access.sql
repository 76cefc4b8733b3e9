-- Who may do what in the warehouse. Run it once as an administrator, with passwords of your own, on every server (or add
-- `ON CLUSTER name`). Checked by ClickHouse's parser in the tests; run on no server there, since the engine has no users.

-- The migrations: makes tables and views.
CREATE ROLE IF NOT EXISTS tollgate_migrator;
GRANT CREATE TABLE, CREATE VIEW, ALTER, SELECT, INSERT ON tollgate.* TO tollgate_migrator;

-- Rater and enforcer: they insert, and the rater counts the rows of its last group when it starts.
CREATE ROLE IF NOT EXISTS tollgate_writer;
GRANT SELECT, INSERT ON tollgate.* TO tollgate_writer;

-- The HTTP door, exports and verifications: they read.
CREATE ROLE IF NOT EXISTS tollgate_reader;
GRANT SELECT ON tollgate.* TO tollgate_reader;

-- Finance: the views, which read each row once.
CREATE ROLE IF NOT EXISTS tollgate_finance;
GRANT SELECT ON tollgate.v_rated_lines TO tollgate_finance;
GRANT SELECT ON tollgate.v_ledger TO tollgate_finance;
GRANT SELECT ON tollgate.v_balance_updates TO tollgate_finance;
GRANT SELECT ON tollgate.v_commands TO tollgate_finance;
GRANT SELECT ON tollgate.v_rejections TO tollgate_finance;
GRANT SELECT ON tollgate.v_invoices_final TO tollgate_finance;
GRANT SELECT ON tollgate.v_invoice_lines TO tollgate_finance;
GRANT SELECT ON tollgate.v_all_invoice_lines TO tollgate_finance;
GRANT SELECT ON tollgate.v_invoice_totals TO tollgate_finance;
GRANT SELECT ON tollgate.v_final_invoice_lines TO tollgate_finance;
GRANT SELECT ON tollgate.v_reservation_charges TO tollgate_finance;

-- A customer that looks by SQL sees the rows of its own account: the user is named as the account is.
CREATE ROLE IF NOT EXISTS tollgate_customer;
GRANT SELECT ON tollgate.rated_lines TO tollgate_customer;
GRANT SELECT ON tollgate.ledger_entries TO tollgate_customer;
GRANT SELECT ON tollgate.invoices_final TO tollgate_customer;
CREATE ROW POLICY IF NOT EXISTS tollgate_own_lines ON tollgate.rated_lines
  FOR SELECT USING account_id = currentUser() TO tollgate_customer;
CREATE ROW POLICY IF NOT EXISTS tollgate_own_entries ON tollgate.ledger_entries
  FOR SELECT USING account_id = currentUser() TO tollgate_customer;
CREATE ROW POLICY IF NOT EXISTS tollgate_own_invoices ON tollgate.invoices_final
  FOR SELECT USING account_id = currentUser() TO tollgate_customer;
-- With a row policy on a table, who has none of its own sees nothing: everybody else sees all.
CREATE ROW POLICY IF NOT EXISTS tollgate_all_lines ON tollgate.rated_lines
  FOR SELECT USING 1 TO ALL EXCEPT tollgate_customer;
CREATE ROW POLICY IF NOT EXISTS tollgate_all_entries ON tollgate.ledger_entries
  FOR SELECT USING 1 TO ALL EXCEPT tollgate_customer;
CREATE ROW POLICY IF NOT EXISTS tollgate_all_invoices ON tollgate.invoices_final
  FOR SELECT USING 1 TO ALL EXCEPT tollgate_customer;

CREATE USER IF NOT EXISTS tollgate_migration IDENTIFIED WITH sha256_password BY 'CHANGE-ME' DEFAULT ROLE tollgate_migrator;
CREATE USER IF NOT EXISTS tollgate_rater IDENTIFIED WITH sha256_password BY 'CHANGE-ME' DEFAULT ROLE tollgate_writer;
CREATE USER IF NOT EXISTS tollgate_enforcer IDENTIFIED WITH sha256_password BY 'CHANGE-ME' DEFAULT ROLE tollgate_writer;
CREATE USER IF NOT EXISTS tollgate_ingest IDENTIFIED WITH sha256_password BY 'CHANGE-ME' DEFAULT ROLE tollgate_reader;
