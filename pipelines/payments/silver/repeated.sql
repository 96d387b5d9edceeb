-- Only records whose txn_id comes more than once need to be compared, and they are few.
select txn_id
from neighbours
where not malformed and txn_id <> ''
group by txn_id
having count(*) > 1
