-- Names, and the e-mail addresses that SQL's own lower() may get wrong. Nobody is called by more than a thousand characters.
select distinct text
from (
  select first_name as text from typed where not malformed
  union all
  select last_name as text from typed where not malformed
  union all
  select email as text from typed where not malformed and not regexp_matches(email, '^[\x{00}-\x{7F}]*\z')
) t
where text <> '' and length(text) <= 1000
