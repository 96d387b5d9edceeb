-- The average to six decimals, rounded half away from zero, in whole numbers: cents = whole * count + rest. An engine's own division
-- goes through floating point, which is exact only for what divides evenly.
select
  txn_date,
  currency,
  status,
  count,
  sum,
  cast(
    cast(whole * 10000 + cast(round(cast(twice - twice % (2 * count) as double) / nullif(2 * count, 0)) as bigint) as decimal(18, 0))
      * cast(0.000001 as decimal(7, 6))
  as decimal(18, 6)) as avg
from (
  select
    t.*,
    cast(round(cast(cents - cents % count as double) / nullif(count, 0)) as bigint) as whole,
    2 * (cents % count) * 10000 + count as twice
  from (
    select
      txn_date,
      currency,
      status,
      count(*) as count,
      cast(sum(amount) as decimal(18, 2)) as sum,
      cast(cast(sum(amount) as decimal(18, 2)) * cast(100 as decimal(3, 0)) as bigint) as cents
    from curated
    group by txn_date, currency, status
  ) t
) a
