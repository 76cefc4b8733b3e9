#!/bin/sh
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

allow User:tollgate-ingest --operation Read --operation DescribeConfigs --topic telemetry.samples
allow User:tollgate-ingest --operation Write --operation DescribeConfigs --topic metering.events --topic metering.rejected --topic control.operations
allow User:tollgate-ingest --operation Describe --operation DescribeConfigs --topic balance.updates --topic control.alerts --topic control.compute --topic control.storage
allow User:tollgate-ingest --operation Read --group tollgate-ingest

allow User:tollgate-rater --operation Read --operation Write --operation DescribeConfigs --topic metering.events
allow User:tollgate-rater --operation Write --operation DescribeConfigs --topic balance.updates --topic metering.rejected
allow User:tollgate-rater --operation Describe --operation DescribeConfigs --topic control.alerts --topic control.compute --topic control.storage --topic control.operations
allow User:tollgate-rater --operation Read --group tollgate-rater

allow User:tollgate-enforcer --operation Read --operation DescribeConfigs --topic balance.updates --topic control.operations
allow User:tollgate-enforcer --operation Read --operation Write --operation DescribeConfigs --topic control.alerts --topic control.compute --topic control.storage
allow User:tollgate-enforcer --operation Describe --operation DescribeConfigs --topic metering.events --topic metering.rejected
allow User:tollgate-enforcer --operation Read --group tollgate-enforcer

allow User:tollgate-reader --operation Read --operation DescribeConfigs --topic metering.events --topic metering.rejected --topic balance.updates --topic control.alerts --topic control.compute --topic control.storage --topic control.operations

allow User:tollgate-topics --operation Describe --operation DescribeConfigs --operation Create --topic metering.events --topic metering.rejected --topic balance.updates --topic control.alerts --topic control.compute --topic control.storage --topic control.operations --topic telemetry.samples

allow User:tollgate-agent --operation Write --topic telemetry.samples

allow User:tollgate-consumer --operation Read --topic control.alerts --topic control.compute --topic control.storage
allow User:tollgate-consumer --operation Read --group tollgate-consumer
