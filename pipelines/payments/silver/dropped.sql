-- A record is dropped if a better copy lies within seven days of ingest dates. `best` carries the place and the day of the best one.
select
  b.ingest_date,
  b.source_file,
  b.line_number,
  case when b.best % 1000 > b.day then 'superseded' else 'duplicates' end as fate
from (
  select
    r.*,
    max(r.place * 1000 + r.day) over (
      partition by r.txn_id
      order by r.day
      range between 7 preceding and 7 following
    ) as best
  from ranked r
) b
join days d on d.ingest_date = b.ingest_date
where d.own and b.best >= (b.place + 1) * 1000
