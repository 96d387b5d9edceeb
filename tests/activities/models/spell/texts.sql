select distinct id as text from raw where id <> ''
