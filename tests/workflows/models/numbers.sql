select r.logical_date as day, cast(n.n as bigint) as n from run r cross join (values (1), (2), (3)) as n(n)
