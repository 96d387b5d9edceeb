import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { portabilityProblems, toSpark } from '../../../engines/spark-sql/to-spark.ts';
import { TerminalError } from '../../../ports/errors.ts';
import { functionRows } from './portable-functions.ts';

function told(sql: string): readonly string[] {
  return portabilityProblems(sql).map(({ line, column, found }) => `${line}:${column} ${found}`);
}

test('everything outside the subset is told at once, in order, with its place', () => {
  const sql = `select
  arg_max(a, b) as x,
  c // 2 as y, now() as z
from t
where regexp_matches(s, 'a.b')
qualify row_number() over (order by a) = 1`;
  expect(told(sql)).toEqual([
    '2:3 arg_max',
    '3:5 //',
    '3:16 now',
    '5:7 . in a regular expression',
    '6:1 a select with qualify',
  ]);
});

test.each([
  ['select a / b as x from t', 'nullif(b, 0)'],
  ['select cast(a as double) / b as x from t', 'nullif(b, 0)'],
  ['select * exclude (a) from t', 'the columns by name'],
  ['select avg(a) as x from t', 'sum(x) and count(x)'],
  [`select regexp_replace(a, 'b', 'c') as x from t`, `the flag 'g'`],
  [`select regexp_matches(a, 'b$') as x from t`, '\\z'],
  [`select regexp_matches(a, b) as x from t`, 'a literal pattern'],
  ['select a from t limit 3', 'order by'],
  ['select a from t group by all', 'by name'],
  [`select date_diff('hour', a, b) as x from t`, 'earlier, later'],
  ['select row_number() over (partition by a) as x from t', 'order by'],
  ['select cast(a as time) as x from t', 'decimal(p,s)'],
  ['select a from read_parquet(b)', 'constant relation'],
  ['select nothing_known(a) as x from t', 'docs/portable-sql.md'],
  ['select cast(cast(a as double) as int) as x from t', 'round(x)'],
  [`select a like b as x from t`, 'contains'],
])('%s has a portable form', (sql, form) => {
  const [problem, ...more] = portabilityProblems(sql);
  expect(more).toEqual([]);
  expect(problem?.portable).toContain(form);
  expect(problem?.message).toContain(problem?.portable);
});

test('a place is that of the call, also in a line of its own with letters beyond 16 bits', () => {
  expect(told(`select '😀' as a, lower(s) as b,\n  '😀', avg(s) as c from t`)).toEqual(['2:8 avg']);
});

test('text that is no select is a problem too', () => {
  expect(told('select from where')).toHaveLength(1);
  expect(told('drop table t')).toHaveLength(1);
  expect(told('select 1 as a; select 2 as b')).toHaveLength(1);
});

test('what cannot be translated is refused with all its problems', () => {
  expect(() => toSpark('select avg(a) as x, median(b) as y from t')).toThrow(TerminalError);
  expect(() => toSpark('select avg(a) as x, median(b) as y from t')).toThrow(
    /line 1, column 8.*avg.*median/s,
  );
});

describe('the translation', () => {
  test.each([
    ['select "two words" as "back`tick" from t', 'select `two words` as `back``tick` from `t`'],
    [`select 'it''s \\' as x from t`, `select 'it\\'s \\\\' as \`x\` from \`t\``],
    ['select a from t order by a desc', 'select `a` from `t` order by `a` desc nulls last'],
    ['select a is distinct from b as x from t', 'select (not (`a` <=> `b`)) as `x` from `t`'],
    ['select l[2] as x from t', 'select try_element_at(`l`, 2) as `x` from `t`'],
    [`select split(a, '|') as x from t`, `select split(\`a\`, '\\\\|', -1) as \`x\` from \`t\``],
    [
      `select a from t where regexp_matches(a, '^[\\x{20}]\\z')`,
      `select \`a\` from \`t\` where (\`a\` rlike '^[\\\\x{20}]\\\\z')`,
    ],
    [
      'select count(*) filter (where ok) over (partition by k) as x from t',
      'select count(case when `ok` then 1 end) over (partition by `k`) as `x` from `t`',
    ],
  ])('%s', (sql, spark) => {
    expect(toSpark(sql)).toBe(spark);
  });
});

test('docs/portable-sql.md lists the functions that are taken', () => {
  const page = readFileSync(new URL('../../../docs/portable-sql.md', import.meta.url), 'utf8');
  expect(page).toContain(`| function | |\n|---|---|\n${functionRows().join('\n')}\n\n`);
});
