select
  currency,
  rate,
  valid_from,
  lead(valid_from, 1, date '9999-12-31') over (partition by currency order by valid_from) as valid_to
from rates
