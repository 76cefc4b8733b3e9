-- What the log made of a pod list must cost, computed from the pod list alone: one row for each key of R6 (without
-- reservations: everything is on_demand or storage). It shares no code and no table with the converter; where both
-- say the same, they say it twice. Times are ms since 1970, prices millionths of a USD, amounts nanos of a USD.
-- Parameters: pods (path of the CSV), from_day, days, sample_ms.
WITH
    toInt64(1754006400000) AS t0, -- 2025-08-01T00:00:00Z
    toInt64(86400000) AS day_ms,
    toInt64(t0 + {from_day:Int64} * day_ms) AS w0,
    toInt64(w0 + {days:Int64} * day_ms) AS w1,
    toInt64(t0 + 125 * day_ms + 6 * 3600000) AS late_at,
    toInt64(9999999999999) AS for_ever,
    book AS
    (
        SELECT sku, t0 + starts AS starts, if(ends < 0, for_ever, t0 + ends) AS ends, micros
        FROM VALUES('sku String, starts Int64, ends Int64, micros Int64',
            ('A10', 0, 5184000000, 1050000), ('A10', 5184000000, 10413017250, 990000), ('A10', 10413017250, -1, 990000),
            ('G1', 0, 5184000000, 1400000), ('G1', 5184000000, 10413017250, 1400000), ('G1', 10413017250, -1, 1350000),
            ('G2', 0, 5184000000, 1270000), ('G2', 5184000000, 10413017250, 1230000), ('G2', 10413017250, -1, 1310001),
            ('G3', 0, 5184000000, 2990000), ('G3', 5184000000, 10413017250, 2990000), ('G3', 10413017250, -1, 2870000),
            ('P100', 0, 5184000000, 790000), ('P100', 5184000000, 10413017250, 730000),
            ('P100', 10413017250, -1, 690000),
            ('T4', 0, 5184000000, 430000), ('T4', 5184000000, 10413017250, 410000), ('T4', 10413017250, -1, 389999),
            ('V100M16', 0, 5184000000, 1690000), ('V100M16', 5184000000, 10413017250, 1610000),
            ('V100M16', 10413017250, -1, 1490000),
            ('V100M32', 0, 5184000000, 2150000), ('V100M32', 5184000000, 10413017250, 2090000),
            ('V100M32', 10413017250, -1, 1970000),
            ('storage', 0, 5184000000, 85000), ('storage', 5184000000, 10413017250, 80000),
            ('storage', 10413017250, -1, 78500))
    ),
    own AS
    (
        SELECT account, sku, t0 + starts AS starts, if(ends < 0, for_ever, t0 + ends) AS ends, micros
        FROM VALUES('account String, sku String, starts Int64, ends Int64, micros Int64',
            ('ls-0', 'G2', 0, 10713600000, 1050000), ('ls-0', 'G2', 10713600000, -1, 989000),
            ('ls-0', 'storage', 0, 10713600000, 61000), ('ls-0', 'storage', 10713600000, -1, 60000))
    ),
    rates AS
    (
        SELECT accounts.account AS account, book.sku AS sku, book.micros AS list_micros,
            if(own.account = '', book.micros, own.micros) AS unit_micros,
            if(own.account = '', book.starts, greatest(book.starts, own.starts)) AS starts,
            if(own.account = '', book.ends, least(book.ends, own.ends)) AS ends
        FROM (SELECT DISTINCT account FROM runs) AS accounts
        CROSS JOIN book
        LEFT JOIN own ON own.account = accounts.account AND own.sku = book.sku
        WHERE starts < ends
    ),
    months AS
    (
        SELECT formatDateTime(first, '%Y-%m') AS month, toInt64(toUnixTimestamp(first)) * 1000 AS starts,
            toInt64(toUnixTimestamp(addMonths(first, 1))) * 1000 AS ends
        FROM (SELECT addMonths(toDateTime('2025-08-01 00:00:00', 'UTC'), number) AS first FROM numbers(48))
    ),
    runs AS
    (
        SELECT name, CRC32(name) AS hash, num_gpu AS units,
            concat(lower(qos), '-', toString(CRC32(name) % multiIf(qos = 'LS', 6, qos = 'BE', 4, 1))) AS account,
            intDiv(CRC32(name), 256) % 1000 AS draw,
            multiIf(ifNull(gpu_spec, '') != '', splitByChar('|', assumeNotNull(gpu_spec))[1],
                draw < 707, 'G2', draw < 843, 'T4', draw < 893, 'G3', draw < 936, 'P100', draw < 969, 'V100M32',
                'V100M16') AS sku,
            greatest(w0, toInt64(t0 + assumeNotNull(scheduled_time) * 1000)) AS run_starts,
            least(w1, toInt64(t0 + deletion_time * 1000)) AS run_ends
        FROM file({pods:String}, 'CSVWithNames', 'name String, cpu_milli UInt64, memory_mib UInt64, num_gpu UInt32,
            gpu_milli UInt32, gpu_spec Nullable(String), qos String, pod_phase String, creation_time Int64,
            deletion_time Int64, scheduled_time Nullable(Int64)')
        WHERE num_gpu > 0 AND scheduled_time IS NOT NULL AND run_starts < run_ends
    ),
    volumes AS
    (
        SELECT account, concat(account, '.data') AS volume, greatest(w0, min(run_starts) - 600000) AS starts, w1 AS ends
        FROM runs GROUP BY account
        UNION ALL
        SELECT account, concat(account, '.scratch'), greatest(w0, min(run_starts) - 600000) + day_ms AS starts,
            w1 - day_ms AS ends
        FROM runs WHERE account IN ('ls-2', 'ls-5', 'be-0', 'be-2') GROUP BY account HAVING starts < ends
    ),
    volume_samples AS
    (
        SELECT account, volume, starts + toInt64(k) * {sample_ms:Int64} AS a, least(a + {sample_ms:Int64}, ends) AS b
        FROM volumes
        ARRAY JOIN
            range(toUInt64(intDiv(greatest(ends - starts, 0) + {sample_ms:Int64} - 1, {sample_ms:Int64}))) AS k
    ),
    begun AS
    (
        SELECT account, groupArray(run_starts) AS begins FROM runs GROUP BY account
    ),
    samples AS
    (
        SELECT account, concat(account, '.', sku) AS resource, sku, toInt64(units) AS units,
            run_starts + toInt64(k) * {sample_ms:Int64} AS a, least(a + {sample_ms:Int64}, run_ends) AS b,
            intDiv(hash, 65536) % 12 = 0 AND b > t0 + 120 * day_ms AND b <= t0 + 122 * day_ms AND late_at < w1 AS late
        FROM runs
        ARRAY JOIN
            range(toUInt64(intDiv(greatest(run_ends - run_starts, 0) + {sample_ms:Int64} - 1, {sample_ms:Int64}))) AS k
        UNION ALL
        SELECT s.account, s.volume, 'storage',
            if(endsWith(s.volume, '.data'), 512 + 8 * toInt64(arrayCount(at -> at <= s.a, begun.begins)), 2048),
            s.a, s.b, 0
        FROM volume_samples AS s INNER JOIN begun ON begun.account = s.account
    ),
    pieces AS
    (
        SELECT s.account AS account, s.resource AS resource, s.sku AS sku, r.unit_micros AS unit_micros,
            r.list_micros AS list_micros, s.late AND late_at >= m.ends + 259200000 AS correction,
            if(correction, formatDateTime(fromUnixTimestamp64Milli(late_at, 'UTC'), '%Y-%m'), m.month) AS invoice_month,
            toInt128(s.units) * (least(s.b, r.ends, m.ends) - greatest(s.a, r.starts, m.starts)) AS quantity
        FROM samples AS s
        INNER JOIN rates AS r ON r.account = s.account AND r.sku = s.sku
        CROSS JOIN months AS m
        WHERE greatest(s.a, r.starts, m.starts) < least(s.b, r.ends, m.ends)
    )
SELECT account AS account_id, resource AS resource_id, sku, toString(unit_micros) AS unit_micros,
    toString(list_micros) AS list_micros, invoice_month, toBool(correction) AS correction,
    toString(sum(quantity)) AS quantity_ms,
    toString(intDiv(sum(quantity) * any(pieces.unit_micros), if(sku = 'storage', 2628000, 3600))) AS amount_nanos,
    toString(intDiv(sum(quantity) * any(pieces.list_micros), if(sku = 'storage', 2628000, 3600))) AS list_nanos
FROM pieces
GROUP BY account, resource, sku, pieces.unit_micros, pieces.list_micros, invoice_month, correction
ORDER BY account_id, resource_id, sku, invoice_month, correction, pieces.unit_micros, pieces.list_micros
