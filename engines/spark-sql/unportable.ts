/** Functions that are asked for most, why they are outside the subset, and what to write instead. */
export const unportable: Readonly<Record<string, { readonly because: string; readonly portable: string }>> = {
  avg: {
    because: 'DuckDB averages as floating point, Spark decimals with four more digits',
    portable: 'sum(x) and count(x), divided in whole numbers as in pipelines/payments/gold/daily_totals.sql',
  },
  arg_max: firstOf('desc'),
  max_by: firstOf('desc'),
  arg_min: firstOf('asc'),
  min_by: firstOf('asc'),
  any_value: { because: 'any row may be taken', portable: 'min(x)' },
  first: { because: 'any row may be taken', portable: 'min(x), or row_number() over (order by ...)' },
  last: { because: 'any row may be taken', portable: 'max(x), or row_number() over (order by ...)' },
  list: unordered(),
  array_agg: unordered(),
  string_agg: unordered(),
  group_concat: unordered(),
  epoch_ms: {
    because: 'Spark has none',
    portable: `date_diff, or timestamp '1970-01-01 00:00:00' + interval '1' second * x`,
  },
  now: clock(),
  current_date: clock(),
  current_timestamp: clock(),
  today: clock(),
  random: { because: 'it gives other rows each time', portable: 'md5(...) of a key' },
  reverse: {
    because: 'DuckDB keeps combining characters together',
    portable: 'a lookup in TypeScript (lookup(...))',
  },
  dayofweek: {
    because: 'DuckDB counts from 0, Spark from 1',
    portable: `date_diff('day', date '2024-01-01', x) % 7, Monday being 0`,
  },
  strftime: { because: 'formats differ', portable: 'substr(cast(x as text), ...)' },
  strptime: {
    because: 'formats differ',
    portable: 'regexp_replace(...) into the ISO form, then try_cast(... as timestamp)',
  },
  if: { because: 'DuckDB and Spark differ on its types', portable: 'case when ... then ... else ... end' },
  median: percentile(),
  quantile: percentile(),
  quantile_cont: percentile(),
  quantile_disc: percentile(),
  sqrt: floating(),
  exp: floating(),
  ln: floating(),
  pow: floating(),
  power: floating(),
  stddev: floating(),
};

function firstOf(direction: string): { readonly because: string; readonly portable: string } {
  return {
    because: 'rows that are equal decide by chance',
    portable: `min(case when place = 1 then x end) over row_number() over (order by y ${direction}, <key>) as place`,
  };
}

function unordered(): { readonly because: string; readonly portable: string } {
  return {
    because: 'its elements have no order',
    portable: 'a row for each element, or a measure of your own',
  };
}

function clock(): { readonly because: string; readonly portable: string } {
  return {
    because: 'a run computes the same whenever it runs',
    portable: 'run.logical_date, run.interval_start or run.interval_end',
  };
}

function percentile(): { readonly because: string; readonly portable: string } {
  return {
    because: 'engines interpolate in different ways',
    portable: 'nearest rank, as in pipelines/payments/gold/merchants.sql',
  };
}

function floating(): { readonly because: string; readonly portable: string } {
  return {
    because: 'its last digit differs between engines',
    portable: 'a lookup in TypeScript (lookup(...))',
  };
}
