-- Rates to six decimals, rounded half away from zero, in whole numbers as in daily_totals.sql.
select
  m.txn_date,
  m.merchant_id,
  m.gross,
  cast(m.gross - m.returned as decimal(18, 2)) as net,
  case when m.approved > 0 then
    cast(
      cast(round(cast(m.refund_twice - m.refund_twice % (2 * m.approved) as double) / nullif(2 * m.approved, 0)) as decimal(18, 0))
        * cast(0.000001 as decimal(7, 6))
    as decimal(18, 6))
  end as refund_rate,
  cast(
    cast(round(cast(m.decline_twice - m.decline_twice % (2 * m.payments) as double) / nullif(2 * m.payments, 0)) as decimal(18, 0))
      * cast(0.000001 as decimal(7, 6))
  as decimal(18, 6)) as decline_rate,
  m.p50,
  m.p95,
  u.active_users
from (
  select
    merchants.*,
    2 * refunds * 1000000 + approved as refund_twice,
    2 * declined * 1000000 + payments as decline_twice
  from merchants
) m
join users u on u.txn_date = m.txn_date and u.merchant_id = m.merchant_id
