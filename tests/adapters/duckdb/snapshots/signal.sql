WITH placed AS (
  SELECT *,
  0 + 604800000000 * ((greatest(greatest(occurred + 1, available - 0) - 0, 0) + 604799999999) // 604800000000) AS starts,
  0 + 604800000000 * ((greatest(((occurred + 86400000000000000) // 3600000000 * 3600000000 - 86400000000000000 + 608400000000) - 0, 0) + 604799999999) // 604800000000) AS ends_0,
  0 + 604800000000 * ((greatest(((occurred + 86400000000000000) // 86400000000 * 86400000000 - 86400000000000000 + 2678400000000) - 0, 0) + 604799999999) // 604800000000) AS ends_1
  FROM (SELECT "customer" AS entity, epoch_us(occurred_at) AS occurred, epoch_us(available_at) AS available, event_id, CAST("amount" AS DECIMAL(18, 6)) AS "amount", CAST("items" AS BIGINT) AS "items" FROM read_parquet(['part.parquet'], union_by_name = true, hive_partitioning = false) WHERE "customer" BETWEEN 1 AND 9 AND occurred_at < make_timestamptz(10) AND available_at <= make_timestamptz(10))
), span AS MATERIALIZED (
  SELECT entity,
  starts,
  ends_0,
  ends_1,
  count(*) AS n,
  coalesce(sum("amount"), 0) AS total_0,
  count("amount") AS many_0,
  max("items") AS max_1,
  max(struct_pack(o := occurred, a := available, e := event_id, x := "amount")) AS latest_0,
  max(occurred) AS newest
  FROM placed WHERE starts <= 1209600000000 GROUP BY entity, starts, ends_0, ends_1
), step AS (
  SELECT CAST(NULL AS BIGINT) AS i, entity, starts AS instant, n AS n_0, n AS n_1, total_0 AS total_0_1, total_0 AS total_0_2, many_0 AS many_0_2, latest_0 AS latest_0, newest AS newest FROM span
  UNION ALL SELECT NULL AS i, entity, greatest(ends_0, starts) AS instant, -n AS n_0, 0 AS n_1, 0 AS total_0_1, 0 AS total_0_2, 0 AS many_0_2, NULL AS latest_0, NULL AS newest FROM span WHERE greatest(ends_0, starts) <= 1209600000000
  UNION ALL SELECT NULL AS i, entity, greatest(ends_1, starts) AS instant, 0 AS n_0, -n AS n_1, -total_0 AS total_0_1, 0 AS total_0_2, 0 AS many_0_2, NULL AS latest_0, NULL AS newest FROM span WHERE greatest(ends_1, starts) <= 1209600000000
  UNION ALL SELECT i, entity, instant, 0, 0, 0, 0, 0, NULL, NULL FROM observation
), running AS (
  SELECT i,
  instant,
  sum(n_0) OVER w AS n_0,
  sum(n_1) OVER w AS n_1,
  sum(total_0_1) OVER w AS total_0_1,
  sum(total_0_2) OVER w AS total_0_2,
  sum(many_0_2) OVER w AS many_0_2,
  max(latest_0) OVER w AS latest_0,
  max(newest) OVER w AS newest
  FROM step WINDOW w AS (PARTITION BY entity ORDER BY instant)
), extreme AS (
  SELECT i,
  max(max_1) FILTER (instant < ends_1) AS max_1_1
  FROM observation JOIN span USING (entity) WHERE starts <= instant AND instant < greatest(ends_1) GROUP BY i
)
SELECT i,
  CAST(n_0 AS BIGINT) AS "purchases_7d",
  CAST(n_1 AS BIGINT) AS "purchases_30d",
  CAST(total_0_1 AS DECIMAL(38, 6)) AS "spend",
  CAST(total_0_2 AS DECIMAL(38, 6)) AS "mean",
  CAST(many_0_2 AS BIGINT) AS "count of mean",
  CAST(max_1_1 AS BIGINT) AS "most",
  CASE WHEN latest_0.o IS NOT NULL THEN CAST(latest_0.x AS DECIMAL(38, 6)) END AS "newest",
  CASE WHEN newest IS NOT NULL THEN CAST(instant - newest AS DOUBLE) / 86400000000.0 END AS "days_since_purchase"
FROM running LEFT JOIN extreme USING (i) WHERE i IS NOT NULL ORDER BY i

WITH placed AS (
  SELECT *,
  0 + 604800000000 * ((greatest(greatest(occurred + 1, available - 0) - 0, 0) + 604799999999) // 604800000000) AS starts,
  0 + 604800000000 * ((greatest(((occurred + 86400000000000000) // 3600000000 * 3600000000 - 86400000000000000 + 608400000000) - 0, 0) + 604799999999) // 604800000000) AS ends_0
  FROM (SELECT "customer" AS entity, epoch_us(occurred_at) AS occurred, epoch_us(available_at) AS available, event_id FROM read_parquet(['part.parquet'], union_by_name = true, hive_partitioning = false) WHERE "customer" BETWEEN 1 AND 9 AND occurred_at < make_timestamptz(10) AND available_at <= make_timestamptz(10) AND ((CAST("items" AS BIGINT) > BIGINT '1')))
), span AS MATERIALIZED (
  SELECT entity,
  starts,
  ends_0,
  count(*) AS n
  FROM placed WHERE starts <= 1209600000000 GROUP BY entity, starts, ends_0
), step AS (
  SELECT CAST(NULL AS BIGINT) AS i, entity, starts AS instant, n AS n_0 FROM span
  UNION ALL SELECT NULL AS i, entity, greatest(ends_0, starts) AS instant, -n AS n_0 FROM span WHERE greatest(ends_0, starts) <= 1209600000000
  UNION ALL SELECT i, entity, instant, 0 FROM observation
), running AS (
  SELECT i,
  instant,
  sum(n_0) OVER w AS n_0
  FROM step WINDOW w AS (PARTITION BY entity ORDER BY instant)
)
SELECT i,
  CAST(n_0 AS BIGINT) AS "many"
FROM running WHERE i IS NOT NULL ORDER BY i
