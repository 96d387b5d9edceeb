-- Copies of a transaction from worst (1) to best. Of records equal in everything the first in file and line order counts as better.
select
  c.ingest_date,
  c.source_file,
  c.line_number,
  c.txn_id,
  d.day,
  row_number() over (
    partition by c.txn_id
    order by
      case when c.in_range then 1 else 0 end,
      case when c.in_range then c.txn_ts else timestamp '1970-01-01 00:00:00' end,
      d.day,
      c.merchant_id, c.user_id, c.amount_text, c.currency_text, c.status_text, c.txn_ts_text, c.country_text,
      c.source_file desc,
      c.line_number desc
  ) as place
from (
  select
    n.*,
    coalesce(
      n.txn_ts >= cast(n.ingest_date as timestamp) - interval '7' day
        and n.txn_ts < cast(n.ingest_date as timestamp) + interval '1' day,
      false
    ) as in_range
  from neighbours n
  join repeated r on r.txn_id = n.txn_id
  where not n.malformed
) c
join days d on d.ingest_date = c.ingest_date
