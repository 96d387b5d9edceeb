-- What each customer contributed on a day; name and e-mail are those of the day's latest purchase. Within a day a purchase_id is unique, and
-- it is the first of the text fields.
select
  substr(cast(ingestion_date as text), 1, 4) as year,
  substr(cast(ingestion_date as text), 6, 2) as month,
  substr(cast(ingestion_date as text), 9, 2) as day,
  customer_id,
  min(case when place = 1 then full_name end) as full_name,
  min(case when place = 1 then email end) as email,
  cast(sum(amount_aud) as decimal(18, 2)) as total_spent_aud,
  min(purchase_date) as first_purchase_date,
  max(purchase_date) as last_purchase_date,
  max(purchased_at) as last_purchased_at
from (
  select
    s.*,
    row_number() over (partition by ingestion_date, customer_id order by purchased_at desc, purchase_id desc) as place
  from silver s
) p
group by ingestion_date, customer_id
