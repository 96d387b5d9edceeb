select purchase_id
from neighbours
where not malformed and purchase_id <> ''
group by purchase_id
having count(*) > 1
