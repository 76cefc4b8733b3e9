"""Opens accounts by HTTP (step `open`), and then sends samples by Kafka as docs/AGENTS.md shows: all of them twice, and some that
are none.

Reads {step, brokers, registry, door, key} from stdin; writes what was sent, and what it must cost, to stdout."""

import base64
import json
import sys
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from urllib.request import Request, urlopen

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient

from agent import TOPIC, Agent
from first_samples import samples as first_samples

H100, STORAGE = 2_345_678, 123_456  # millionths of a USD: a GPU-hour, a GiB-month
HOUR_MS, GIB_MONTH_MS = 3_600_000, 730 * 3_600_000
MINUTES = 90
RESERVED_S = 60


def main():
    given = json.load(sys.stdin)
    now = datetime.now(timezone.utc).replace(second=0, microsecond=0)
    if given["step"] == "open":
        post(given, opening(now))
        return json.dump({}, sys.stdout)
    agent = Agent(given["brokers"], given["registry"])
    for sample in 2 * [*samples(now), *refused(now)]:
        agent.send(sample)
    assert agent.flush() == []
    poison = poisons(given["registry"])
    offsets = send_raw(given["brokers"], poison)
    json.dump(
        {
            "bill": bill(samples(now)),
            "refused": [sample["id"] for sample in refused(now)],
            "poison": [base64.b64encode(value).decode() for value in poison],
            "offsets": offsets,
        },
        sys.stdout,
    )


def opening(now):
    prices = {"effective_from": "2020-01-01T00:00:00Z", "gpu_hour": {"h100": "2.345678"}, "gib_month": "0.123456"}
    yield event("prices", "prices.published", None, **prices)
    for account in ["acme", "poor", "ends"]:
        yield event(f"open-{account}", "account.opened", account)
        amount = "3" if account == "poor" else "100000"
        yield event(f"grant-{account}", "credits.granted", account, grant_id="g1", amount=amount, kind="paid")
    # Its reservation ends while this runs, and takes the cluster with it: an order that needs no credits to run out.
    soon = datetime.now(timezone.utc) + timedelta(seconds=RESERVED_S)
    yield event(
        *("reserve", "reservation.purchased", "ends"),
        **{"reservation_id": "r1", "cluster_id": "c9", "gpu_type": "h100", "gpus": 8, "payment": "upfront"},
        **{"starts_at": rfc3339(now - timedelta(hours=1)), "ends_at": rfc3339(soon), "price_per_gpu_hour": "1.5"},
    )
    yield event("provision", "cluster.provisioned", "ends", cluster_id="c9")


def samples(now):
    """An hour and a half of nodes and volumes, minute by minute: over a full hour, and maybe over the end of a month."""
    for minute in range(MINUTES, 0, -1):
        end = now - timedelta(minutes=minute - 1)
        for sample in first_samples(end):
            yield {**sample, "source": "agent/üñí"}
        for node in range(4):
            yield gpu("acme", f"c{node % 2}", f"a{node}", 1 + node, end)
        yield gpu("poor", "lab", "p1", 2, end)


def refused(now):
    """What Avro takes, and Tollgate does not."""
    yield {**gpu("acme", "c1", "none", 1, now), "id": "no-use", "gpu": None}
    yield {**gpu("acme", "c1", "none", 0, now), "id": "no-gpus"}
    yield {**gpu("acme", "c1", "none", 1, now), "id": "a b"}


def poisons(registry):
    """No Avro; an id that no schema has; a sample that breaks off; one byte too many; nothing at all."""
    known = SchemaRegistryClient({"url": registry}).get_latest_version(f"{TOPIC}-value").schema_id.to_bytes(4, "big")
    return [b"\xff\xfe no Avro", b'{"specversion":"1.0"}', b"\0\x7f\xff\xff\xff\x02a", b"\0" + known + b"\x02", b""]


def gpu(account, cluster, node, gpus, end):
    use = {"cluster_id": cluster, "node_id": node, "gpu_type": "h100", "gpus": gpus}
    envelope = {"id": f"{account}:{node}:{end.timestamp():.0f}", "source": "agent/python", "account_id": account}
    return {**envelope, "start": end - timedelta(minutes=1), "end": end, "gpu": use}


def bill(sent):
    """R6: of each resource and month the sum of the quantities times the price, rounded down once."""
    quantities = defaultdict(int)
    for sample in sent:
        length = (sample["end"] - sample["start"]) // timedelta(milliseconds=1)
        use = sample.get("gpu")
        resource = use["cluster_id"] if use else sample["storage"]["volume_id"]
        amount = use["gpus"] if use else sample["storage"]["size_gib"]
        quantities[sample["account_id"], resource, sample["start"].strftime("%Y-%m"), bool(use)] += amount * length
    rows = []
    for (account, resource, month, use), quantity in quantities.items():
        micros, unit_ms = (H100, HOUR_MS) if use else (STORAGE, GIB_MONTH_MS)
        rows.append([account, resource, month, quantity, nanos(quantity * micros * 1000 // unit_ms)])
    return sorted(rows)


def send_raw(brokers, values):
    """One or more to every partition, past all serializers. Returns where each partition ends then."""
    offsets = {}

    def delivered(error, message):
        assert error is None, error
        offsets[message.partition()] = max(offsets.get(message.partition(), 0), message.offset() + 1)

    producer = Producer({"bootstrap.servers": brokers, "compression.type": "snappy"})
    partitions = producer.list_topics(TOPIC, 30).topics[TOPIC].partitions
    for at, value in enumerate(values):
        producer.produce(TOPIC, value=value, partition=at % len(partitions), on_delivery=delivered)
    assert producer.flush(30) == 0
    return offsets


def event(event_id, kind, subject, /, **data):
    envelope = {"specversion": "1.0", "id": event_id, "source": "python/ops", "type": kind, "data": data}
    return envelope if subject is None else {**envelope, "subject": subject}


def post(given, events):
    request = Request(
        f"{given['door']}/v1/events?wait=applied",
        data=json.dumps(list(events)).encode(),
        headers={"authorization": f"Bearer {given['key']}", "content-type": "application/cloudevents-batch+json"},
    )
    with urlopen(request, timeout=60) as answer:
        results = json.load(answer)["results"]
    assert all(result.get("verdict") == {"status": "applied"} for result in results), results


def rfc3339(at):
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")[:-4] + "Z"


def nanos(amount):
    return f"{amount // 10**9}.{amount % 10**9:09d}"


main()
