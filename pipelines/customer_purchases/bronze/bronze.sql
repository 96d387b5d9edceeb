select
  t.*,
  coalesce(f.name, t.first_name) as first_name_clean,
  coalesce(l.name, t.last_name) as last_name_clean,
  case
    when e.text is not null then nullif(e.email, '')
    when regexp_matches(lower(t.email), '^[^@\x{09}-\x{0D}\x{20}]+@[^@\x{09}-\x{0D}\x{20}]+[.][^@\x{09}-\x{0D}\x{20}]+\z') then lower(t.email)
  end as email_clean
from typed t
left join spellings f on f.text = t.first_name
left join spellings l on l.text = t.last_name
left join spellings e on e.text = t.email and not regexp_matches(t.email, '^[\x{00}-\x{7F}]*\z')
