-- PostgreSQL. Every affected customer's total over all days; name and e-mail are those of the latest purchase, then of the later day.
select distinct on (s.customer_id)
  s.customer_id,
  s.full_name,
  s.email,
  sum(s.total_spent_aud) over whole as total_spent_aud,
  min(s.first_purchase_date) over whole as first_purchase_date,
  max(s.last_purchase_date) over whole as last_purchase_date
from staging s
join affected a using (customer_id)
window whole as (
  partition by s.customer_id
  order by s.last_purchased_at desc, s.load_date desc
  rows between unbounded preceding and unbounded following
)
order by s.customer_id, s.last_purchased_at desc, s.load_date desc
