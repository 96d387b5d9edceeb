select count(*) as sales, cast(coalesce(sum(price), 0) as decimal(18, 2)) as income from typed where not malformed
