select s.id, max(s.price) as price from staging s join affected using (id) group by s.id
