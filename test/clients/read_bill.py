"""What finance reads by clickhouse-connect: {clickhouse, accounts} from stdin, sums by resource and month to stdout."""

import json
import sys
from decimal import Decimal
from urllib.parse import urlsplit

import clickhouse_connect


def main():
    given = json.load(sys.stdin)
    url = urlsplit(given["clickhouse"])
    client = clickhouse_connect.get_client(host=url.hostname, port=url.port, autogenerate_session_id=False)
    parameters = {"accounts": given["accounts"]}
    summed = client.query(
        """SELECT account_id, resource_id, invoice_month, sum(quantity_ms), sum(amount)
           FROM v_rated_lines WHERE account_id IN {accounts:Array(String)} GROUP BY ALL ORDER BY ALL""",
        parameters=parameters,
    ).result_rows
    # The same once more from the lines themselves, added up here.
    added = {}
    lines = client.query(
        """SELECT account_id, resource_id, invoice_month, quantity_ms, amount, tags
           FROM v_rated_lines WHERE account_id IN {accounts:Array(String)}""",
        parameters=parameters,
    ).result_rows
    for account, resource, month, quantity, amount, _ in lines:
        assert isinstance(amount, Decimal), amount
        quantity_so_far, amount_so_far = added.get((account, resource, month), (0, Decimal(0)))
        added[account, resource, month] = (quantity_so_far + quantity, amount_so_far + amount)
    assert [(*key, *sums) for key, sums in sorted(added.items())] == [tuple(row) for row in summed]
    tags = sorted({json.dumps(tags) for *_, tags in lines})
    json.dump({"bill": [[*row[:4], str(row[4])] for row in summed], "lines": len(lines), "tags": tags}, sys.stdout)


main()
