-- How each cluster's GPU-ms must be labelled (R4, L9), whatever the order of samples: at each instant `reserved` is the
-- lesser of GPUs in use (the pod list's) and reserved capacity (the log's reservations, as extended and cancelled);
-- what is in use beyond it is `burst` while any capacity is reserved, and `on_demand` otherwise.
-- Parameters: pods (path of the CSV), events (path of the log), rejected (path of the replay's rejected.ndjson),
-- from_day, days.
WITH
    toInt64(1754006400000) AS t0, -- 2025-08-01T00:00:00Z
    toInt64(t0 + {from_day:Int64} * 86400000) AS w0,
    toInt64(w0 + {days:Int64} * 86400000) AS w1,
    runs AS
    (
        SELECT concat(lower(qos), '-', toString(CRC32(name) % multiIf(qos = 'LS', 6, qos = 'BE', 4, 1))) AS account,
            intDiv(CRC32(name), 256) % 1000 AS draw,
            concat(account, '.', multiIf(ifNull(gpu_spec, '') != '', splitByChar('|', assumeNotNull(gpu_spec))[1],
                draw < 707, 'G2', draw < 843, 'T4', draw < 893, 'G3', draw < 936, 'P100', draw < 969, 'V100M32',
                'V100M16')) AS cluster,
            toInt64(num_gpu) AS gpus,
            greatest(w0, toInt64(t0 + assumeNotNull(scheduled_time) * 1000)) AS starts,
            least(w1, toInt64(t0 + deletion_time * 1000)) AS ends
        FROM file({pods:String}, 'CSVWithNames', 'name String, cpu_milli UInt64, memory_mib UInt64, num_gpu UInt32,
            gpu_milli UInt32, gpu_spec Nullable(String), qos String, pod_phase String, creation_time Int64,
            deletion_time Int64, scheduled_time Nullable(Int64)')
        WHERE num_gpu > 0 AND scheduled_time IS NOT NULL AND starts < ends
    ),
    acts AS
    (
        SELECT rowNumberInAllBlocks() AS position, type, JSONExtractString(data, 'reservation_id') AS reservation,
            JSONExtractString(data, 'cluster_id') AS cluster, JSONExtractInt(data, 'gpus') AS gpus,
            toUnixTimestamp64Milli(
                parseDateTime64BestEffortOrZero(JSONExtractString(data, 'starts_at'), 3, 'UTC')) AS starts,
            toUnixTimestamp64Milli(
                parseDateTime64BestEffortOrZero(JSONExtractString(data, 'ends_at'), 3, 'UTC')) AS ends
        FROM file({events:String}, 'JSONEachRow', 'id String, type String, data String')
        WHERE startsWith(type, 'reservation.') AND id NOT IN
            (SELECT JSONExtractString(event, 'id') FROM file({rejected:String}, 'JSONEachRow', 'event String'))
    ),
    reservations AS
    (
        SELECT anyIf(cluster, type = 'reservation.purchased') AS cluster,
            toInt64(anyIf(gpus, type = 'reservation.purchased')) AS gpus,
            anyIf(acts.starts, type = 'reservation.purchased') AS starts, argMax(acts.ends, position) AS ends
        FROM acts GROUP BY reservation
    ),
    changes AS
    (
        SELECT cluster, starts AS at, gpus AS used, toInt64(0) AS held FROM runs
        UNION ALL SELECT cluster, ends, -gpus, 0 FROM runs
        UNION ALL SELECT cluster, starts, 0, gpus FROM reservations
        UNION ALL SELECT cluster, ends, 0, -gpus FROM reservations
    ),
    steps AS
    (
        SELECT cluster, at, sum(sum(used)) OVER before AS in_use, sum(sum(held)) OVER before AS capacity,
            any(at) OVER (PARTITION BY cluster ORDER BY at ROWS BETWEEN 1 FOLLOWING AND 1 FOLLOWING) - at AS ms
        FROM changes GROUP BY cluster, at
        WINDOW before AS (PARTITION BY cluster ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    )
SELECT cluster AS resource_id,
    toString(sumIf(least(in_use, capacity) * ms, in_use > 0)) AS reserved,
    toString(sumIf((in_use - capacity) * ms, in_use > capacity AND capacity > 0)) AS burst,
    toString(sumIf(in_use * ms, in_use > 0 AND capacity = 0)) AS on_demand
FROM steps GROUP BY cluster ORDER BY cluster
