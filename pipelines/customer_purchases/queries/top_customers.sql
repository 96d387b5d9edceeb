select customer_id, full_name, email, total_spent_aud, first_purchase_date, last_purchase_date
from customer_purchase_summary
order by total_spent_aud desc, customer_id
limit 5
