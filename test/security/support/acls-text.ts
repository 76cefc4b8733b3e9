import { KAFKA_USES, type KafkaAcl, type KafkaUse, kafkaAcls } from '../../../services/shared/runtime/kafka-acls.ts';
import { AVRO_TOPICS } from '../../../services/shared/wire/avro-schemas.ts';

export const RIGHTS_BEGIN = '<!-- rights: made by `npx tsx test/security/support/acls-text.ts table` -->';
export const RIGHTS_END = '<!-- end of rights -->';

const HEAD = `#!/bin/sh
# Gives each client of Kafka the rights that it needs, and no more, where nothing is allowed without an ACL
# (allow.everyone.if.no.acl.found=false). Repeatable. Made from services/shared/runtime/kafka-acls.ts by
#   npx tsx test/security/support/acls-text.ts script > ops/kafka/acls.sh
#
# usage: ops/kafka/acls.sh BOOTSTRAP ADMIN.properties
#   kafka-acls.sh must be found by PATH; ADMIN.properties is how a super user logs in.
#
# Clients are named as they log in by SASL; who logs in by a certificate is named by the broker's ssl.principal.mapping.rules.
# tollgate-consumer is one such: give others, each with its own group, the same.
set -eu
if [ $# -ne 2 ]; then
  echo "usage: $0 BOOTSTRAP ADMIN.properties" >&2
  exit 2
fi
bootstrap=$1
config=$2
allow() {
  kafka-acls.sh --bootstrap-server "$bootstrap" --command-config "$config" --add --allow-principal "$@"
}
`;

/** `ops/kafka/acls.sh`: one line for all topics on which a client may do the same. */
export function aclsScript(): string {
  const lines = Object.entries(KAFKA_USES).map(([name, use]) => ['', ...linesOf(name, kafkaAcls(use))].join('\n'));
  return `${HEAD}${lines.join('\n')}\n`;
}

function linesOf(name: string, acls: readonly KafkaAcl[]): readonly string[] {
  const operations = new Map<string, string>();
  for (const { resource, name: on, operation } of acls) {
    const key = `--${resource} ${on}`;
    operations.set(key, `${operations.get(key) ?? ''} --operation ${operation}`);
  }
  const targets = new Map<string, string>();
  for (const [target, allowed] of operations) {
    const key = target.startsWith('--group') ? `${allowed} ` : allowed; // a line is of topics or of groups
    targets.set(key, `${targets.get(key) ?? ''} ${target}`);
  }
  return [...targets].map(([allowed, on]) => `allow User:${name}${allowed.trimEnd()}${on}`);
}

/** The table of docs/OPERATIONS.md. */
export function rightsTable(): string {
  const rows = Object.entries<KafkaUse>(KAFKA_USES).map(([name, { reads, writes, looksAt, creates, group }]) => {
    const cells = [
      textOf(reads),
      textOf(writes),
      textOf(looksAt),
      textOf(creates),
      group === undefined ? '' : `\`${group}\``,
    ];
    return `| \`${name}\` | ${cells.join(' | ')} |`;
  });
  return [
    '| user | reads | writes | asks for settings of | creates | consumer group |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function textOf(topics: readonly string[]): string {
  if (topics.length === AVRO_TOPICS.length) return 'all topics';
  const but = AVRO_TOPICS.filter((topic) => !topics.includes(topic));
  if (but.length === 1) return `all but \`${but[0]}\``;
  return topics.map((topic) => `\`${topic}\``).join(', ');
}

if (process.argv[1]?.endsWith('acls-text.ts') === true) {
  process.stdout.write(process.argv[2] === 'table' ? `${rightsTable()}\n` : aclsScript());
}
