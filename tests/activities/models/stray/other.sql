select day, id, cast(price as decimal(9, 2)) as price from raw
