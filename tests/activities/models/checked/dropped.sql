-- Of equal ids the first line stays.
select day, source_file, line_number, 'repeated' as fate
from (
  select day, source_file, line_number, row_number() over (partition by id order by line_number) as place
  from rows
  where not malformed and id <> '' and id <> 'twice'
) r
where place > 1
