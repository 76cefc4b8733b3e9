"""What `kafka-consumer-groups` shows: {brokers, groups: {group: topic}} from stdin; to stdout, of each group, how far it is
committed in each partition, and where that ends."""

import json
import sys

from confluent_kafka import Consumer, TopicPartition


def places(brokers, group, topic):
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": group})
    partitions = sorted(consumer.list_topics(topic, 30).topics[topic].partitions)
    committed = consumer.committed([TopicPartition(topic, partition) for partition in partitions], 30)
    ends = [consumer.get_watermark_offsets(place, 30)[1] for place in committed]
    consumer.close()
    return [[place.offset, end] for place, end in zip(committed, ends)]


def main():
    given = json.load(sys.stdin)
    found = {group: places(given["brokers"], group, topic) for group, topic in given["groups"].items()}
    json.dump(found, sys.stdout)


main()
