import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { castSelect } from '../../activities/index.ts';
import { checkMeasures, checkSteps, checkViews } from '../../activities/checks.ts';
import * as purchases from '../../pipelines/customer_purchases/contract.ts';
import * as payments from '../../pipelines/payments/contract.ts';

/** What DuckDB has and Spark has not, or has and means otherwise. */
const notPortable =
  /\b(arg_max|arg_min|max_by|min_by|list|exclude|qualify|epoch_ms|string_agg|list_filter)\b|\/\//i;

const pipelines = join(import.meta.dirname, '../../pipelines');
const files = globSync('*/{lookup,bronze,silver,gold}/*.sql', { cwd: pipelines }).map(
  (path) => [path, readFileSync(join(pipelines, path), 'utf8')] as const,
);
const checks = { rows: 'own', dropped: 'dropped', fates: ['duplicates'] };
const generated = [
  ...[payments.transactions, purchases.purchases].map(
    (source) => [`casting of ${source.name}`, castSelect(source, 'raw')] as const,
  ),
  ...[
    { ...checks, contract: payments.transactions, by: 'ingest_date', accepts: payments.curated },
    { ...checks, contract: purchases.purchases, by: 'ingestion_date', accepts: purchases.silver },
  ].flatMap((each) =>
    [...checkViews(each), ...checkSteps(each), ...checkMeasures(each)].map(
      ({ name, sql }) => [`${name} of ${each.contract.name}`, sql] as const,
    ),
  ),
];

describe.each([...files, ...generated])('%s', (_, sql) => {
  test('is SQL that DuckDB and Spark share', () => {
    const code = sql.replaceAll(/--.*$/gm, '').replaceAll(/'[^']*'/g, "''");
    expect(code).not.toMatch(notPortable);
    expect(sql, 'a flag of regexp_replace: Spark takes a position there').not.toMatch(/, 'g'\)/);
  });
});

test('there are models to look at', () => {
  expect(files.length).toBeGreaterThan(15);
});
