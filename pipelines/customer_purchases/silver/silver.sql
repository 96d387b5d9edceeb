select
  a.ingestion_date,
  a.purchase_id,
  a.customer_id,
  a.first_name_clean as first_name,
  a.last_name_clean as last_name,
  trim(concat(a.first_name_clean, ' ', a.last_name_clean)) as full_name,
  a.email_clean as email,
  a.purchased_at,
  cast(a.purchased_at as date) as purchase_date,
  a.amount,
  a.currency,
  cast(round(a.amount * r.rate, 2) as decimal(18, 2)) as amount_aud,
  a.source_file,
  a.line_number
from accepted a
left join rates_in_force r
  on r.currency = a.currency
  and (r.is_first or cast(a.purchased_at as date) >= r.valid_from)
  and cast(a.purchased_at as date) < r.valid_to
