"""Reads `metering.rejected` to its end by the stock Avro deserializer: {brokers, registry} from stdin, its records to stdout."""

import json
import sys

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

TOPIC = "metering.rejected"


def main():
    given = json.load(sys.stdin)
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": given["registry"]}))
    consumer = Consumer({"bootstrap.servers": given["brokers"], "group.id": "python-rejected", "enable.partition.eof": True})
    partitions = consumer.list_topics(TOPIC, 30).topics[TOPIC].partitions
    consumer.assign([TopicPartition(TOPIC, partition, 0) for partition in partitions])
    records, ended = [], set()
    while len(ended) < len(partitions):
        message = consumer.poll(30)
        assert message is not None, "no end within 30 s"
        if message.error() is None:
            records.append(deserialize(message.value(), SerializationContext(TOPIC, MessageField.VALUE)))
        elif message.error().code() == KafkaError._PARTITION_EOF:
            ended.add(message.partition())
        else:
            raise KafkaException(message.error())
    consumer.close()
    json.dump(records, sys.stdout, default=str)


main()
