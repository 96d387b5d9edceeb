import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { toSpark } from '../../engines/spark-sql/to-spark.ts';
import type { SqlEngineFixture } from '../ports/sql-engine/fixture.ts';
import { openedEngine } from '../engines/duckdb/opened.ts';
import { openLocalSparkEngine } from '../engines/glue/local-spark.ts';
import { WarmSpark } from '../engines/glue/warm-spark.ts';
import { expectSameAnswers, together } from './both-engines.ts';
import { expressions, queries } from './corpus.ts';
import { hostileRows } from './random-rows.ts';

const bed = inject('aws');
/** Each further round computes everything again over other rows. */
const rounds = Number(process.env['INGOT_CONFORMANCE_ROUNDS'] ?? 1);

test('the corpus has many constructs', () => {
  expect(expressions.length + queries.length).toBeGreaterThan(250);
});

describe.skipIf(bed === null)(`DuckDB and Spark ${inject('awsMissing')}`, () => {
  let spark: WarmSpark;
  let duckdb: SqlEngineFixture;
  let cluster: SqlEngineFixture;
  beforeAll(async () => {
    spark = await WarmSpark.open(bed!.python);
    duckdb = await openedEngine();
    cluster = await openLocalSparkEngine({ spark, translate: toSpark });
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await duckdb[Symbol.asyncDispose]();
    await spark[Symbol.asyncDispose]();
  });

  test(
    'give the same rows for every construct of the corpus, whatever is in the tables',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
          async (numbers) => {
            const next = (): number => numbers.next().value;
            const inline = [hostileRows('t', 150, next), hostileRows('r', 90, next)];
            const size = 20;
            const grouped = Array.from({ length: Math.ceil(expressions.length / size) }, (_, index) =>
              expressions.slice(index * size, (index + 1) * size),
            );
            const questions = [...grouped.map(together), ...queries].map((sql, index) => ({
              name: `q${index}`,
              sql,
            }));
            await expectSameAnswers({ duckdb: duckdb.engine, spark: cluster.engine }, inline, questions);
          },
        ),
        { numRuns: rounds, endOnFailure: true },
      );
    },
    600_000 * rounds,
  );
});
