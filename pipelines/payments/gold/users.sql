select txn_date, merchant_id, count(*) as active_users
from (select distinct txn_date, merchant_id, user_id from curated) u
group by txn_date, merchant_id
