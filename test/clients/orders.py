"""Reads the control topics as docs/CONSUMERS.md shows, twice from their beginnings, as after an outage that took the offsets.

Reads {brokers, registry, door, key, records} from stdin; writes alerts and what was carried out to stdout, once it has seen as
many records as there are."""

import json
import shelve
import sys
import tempfile
import time
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from control import Control, still_stands

GIVEN_UP_AFTER_S = 200


class Counting(Control):
    seen = 0

    def handle(self, command):
        super().handle(command)
        self.seen += 1


def main():
    given = json.load(sys.stdin)
    deadline = time.monotonic() + GIVEN_UP_AFTER_S
    carried_out, alerts = [], []

    def read(group, carried):
        control = Counting(
            *(given["brokers"], given["registry"], group, carried),
            *(still_stands(given["door"], given["key"]), carried_out.append, alerts.append),
        )

        def going():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{control.seen} records of {given['records']}: {carried_out} {alerts}")
            return control.seen < given["records"]

        control.run(going)
        return control.seen

    with tempfile.TemporaryDirectory() as folder:
        for group in ["first", "again"]:
            with shelve.open(str(Path(folder, "carried"))) as carried:
                read(f"python-{group}", carried)
            if group == "first":
                first = len(carried_out)
    told = {"alerts": alerts[: len(alerts) // 2], "carried_out": carried_out, "again": len(carried_out) - first}
    json.dump(told, sys.stdout, default=as_json)


def as_json(value):
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value))


main()
