import { afterAll, beforeAll, describe, inject } from 'vitest';
import { sqlEngineConformance } from '../../ports/sql-engine.case.ts';
import { openLocalSparkEngine } from './local-spark.ts';
import { WarmSpark } from './warm-spark.ts';

const bed = inject('aws');

describe.skipIf(bed === null)(`Spark ${inject('awsMissing')}`, () => {
  let spark: WarmSpark;
  beforeAll(async () => {
    spark = await WarmSpark.open(bed!.python);
  });
  afterAll(() => spark[Symbol.asyncDispose]());

  sqlEngineConformance('the Spark runner', async ({ maxFileBytes } = {}) =>
    openLocalSparkEngine({ spark, ...(maxFileBytes === undefined ? {} : { maxFileBytes }) }),
  );
});
