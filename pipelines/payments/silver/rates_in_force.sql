-- Before the first entry of a currency its first rate counts, so that every date has one.
select
  currency,
  rate,
  valid_from,
  lead(valid_from, 1, date '9999-12-31') over (partition by currency order by valid_from) as valid_to,
  row_number() over (partition by currency order by valid_from) = 1 as is_first
from rates
