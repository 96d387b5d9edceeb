-- The first delivery stands: dropped is what came within the seven days before, or is not the least of its own day. Of records equal
-- in all fields the first in file and line order stands.
select c.ingestion_date, c.source_file, c.line_number, 'duplicates' as fate
from (
  select
    n.ingestion_date,
    n.source_file,
    n.line_number,
    count(*) over (partition by n.purchase_id order by d.day range between 7 preceding and 1 preceding) as earlier,
    row_number() over (
      partition by n.purchase_id, n.ingestion_date
      order by n.customer_id_text, n.first_name, n.last_name, n.email, n.purchased_at_text, n.amount_text, n.currency_text,
        n.source_file, n.line_number
    ) as place
  from neighbours n
  join repeated r on r.purchase_id = n.purchase_id
  join days d on d.ingestion_date = n.ingestion_date
  where not n.malformed
) c
join days d on d.ingestion_date = c.ingestion_date
where d.own and (c.earlier > 0 or c.place > 1)
