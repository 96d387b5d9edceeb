-- Percentiles by nearest rank: the smallest amount that at least that share of the payments does not exceed.
select
  txn_date,
  merchant_id,
  count(*) as payments,
  sum(case when status = 'APPROVED' then 1 else 0 end) as approved,
  sum(case when status = 'DECLINED' then 1 else 0 end) as declined,
  sum(case when is_refund then 1 else 0 end) as refunds,
  cast(sum(case when status = 'APPROVED' then amount_usd else 0 end) as decimal(18, 2)) as gross,
  cast(sum(case when is_refund then amount_usd else 0 end) as decimal(18, 2)) as returned,
  min(case when place * 100 >= payments * 50 then amount_usd end) as p50,
  min(case when place * 100 >= payments * 95 then amount_usd end) as p95
from (
  select
    txn_date,
    merchant_id,
    status,
    is_refund,
    amount_usd,
    row_number() over (partition by txn_date, merchant_id order by amount_usd) as place,
    count(*) over (partition by txn_date, merchant_id) as payments
  from curated
) c
group by txn_date, merchant_id
