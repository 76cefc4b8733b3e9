import { quotedIdentifier } from './sql.ts';

const CREATE_TABLE = /^(CREATE TABLE IF NOT EXISTS\s+`?[a-z_]+`?)/;
const ALTER_TABLE = /^(ALTER TABLE\s+`?[a-z_]+`?)/;
const CREATE_VIEW = /^(CREATE VIEW IF NOT EXISTS\s+`?[a-z_]+`?)/;
const ENGINE = /\bENGINE\s*=\s*ReplacingMergeTree(?:\(([^)]*)\))?/;

/**
 * A statement of a migration as a ClickHouse cluster is to run it: on all its servers, tables replicated, each under the path
 * that the servers' macros `{shard}` and `{replica}` give. One that neither creates a table or a view nor alters one is left as it is.
 * @param cluster as `remote_servers` of the servers' config names it
 */
export function replicatedStatement(statement: string, cluster: string): string {
  const on = ` ON CLUSTER ${quotedIdentifier(cluster)}`;
  if (CREATE_VIEW.test(statement)) return statement.replace(CREATE_VIEW, (head) => head + on);
  if (ALTER_TABLE.test(statement)) return statement.replace(ALTER_TABLE, (head) => head + on);
  if (!CREATE_TABLE.test(statement)) return statement;
  return statement
    .replace(CREATE_TABLE, (head) => head + on)
    .replace(ENGINE, (_engine, version: string | undefined) => {
      const rest = version === undefined || version === '' ? '' : `, ${version}`;
      return `ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}'${rest})`;
    });
}
