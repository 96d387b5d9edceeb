select
  a.ingest_date,
  cast(a.txn_ts as date) as txn_date,
  a.txn_id,
  a.merchant_id,
  a.user_id,
  a.amount,
  a.currency,
  a.status,
  a.txn_ts,
  a.country,
  cast(round(a.amount * r.rate, 2) as decimal(18, 2)) as amount_usd,
  cast(hour(a.txn_ts) as int) as txn_hour,
  a.status in ('REFUNDED', 'CHARGEBACK') as is_refund,
  a.source_file,
  a.line_number
from accepted a
left join rates_in_force r
  on r.currency = a.currency
  and (r.is_first or cast(a.txn_ts as date) >= r.valid_from)
  and cast(a.txn_ts as date) < r.valid_to
