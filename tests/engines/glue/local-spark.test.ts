import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { column, job, output } from '../../ports/sql-engine/fixture.ts';
import { openLocalSparkEngine } from './local-spark.ts';
import { WarmSpark } from './warm-spark.ts';

const bed = inject('aws');

describe.skipIf(bed === null)(`the Spark runner ${inject('awsMissing')}`, () => {
  let spark: WarmSpark;
  beforeAll(async () => {
    spark = await WarmSpark.open(bed!.python);
  });
  afterAll(() => spark[Symbol.asyncDispose]());

  test('runs a job in a warm session', async () => {
    await using fixture = await openLocalSparkEngine({ spark });
    const result = await fixture.engine.run(
      job({ outputs: [output('select 1 as n', [column('n', 'int')], { prefix: 'out' })] }),
    );
    expect(result.outputs['out']).toHaveLength(1);
    expect(result.outputs['out']![0]).toMatchObject({ rows: 1, columns: { n: { min: '1', max: '1' } } });
  });
});
