import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { toSpark } from '../../engines/spark-sql/to-spark.ts';
import { generators } from '../../pipelines/generators/index.ts';
import { dags } from '../../pipelines/index.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { OutputRelation, SqlJob, WrittenPartition } from '../../ports/sql-engine.ts';
import { openHarness } from '../activities/harness.ts';
import type { Harness } from '../activities/harness.ts';
import { openLocalSparkEngine } from '../engines/glue/local-spark.ts';
import { WarmSpark } from '../engines/glue/warm-spark.ts';
import { input, rows } from '../ports/sql-engine/fixture.ts';
import type { SqlEngineFixture } from '../ports/sql-engine/fixture.ts';
import { bag } from './both-engines.ts';
import { capture } from './captured-jobs.ts';
import { hostilePayments, hostilePurchases } from './hostile-records.ts';

const bed = inject('aws');
const dates = ['2026-01-05', '2026-01-06'] as const;
const seeds = Array.from(
  { length: Number(process.env['INGOT_CONFORMANCE_ROUNDS'] ?? 1) },
  (_, round) => round + 1,
);
const hostile = { payments: hostilePayments, customer_purchases: hostilePurchases };
const cases = seeds.flatMap((seed) =>
  (['payments', 'customer_purchases'] as const).map((name) => ({ name, seed })),
);

describe.skipIf(bed === null)(
  `the models of the pipelines, on DuckDB and on Spark ${inject('awsMissing')}`,
  () => {
    let spark: WarmSpark;
    let harness: Harness;
    let cluster: SqlEngineFixture;
    beforeAll(async () => {
      spark = await WarmSpark.open(bed!.python);
    });
    afterAll(() => spark[Symbol.asyncDispose]());
    beforeEach(async () => {
      harness = await openHarness({ postgresUrl: inject('postgresUrl') });
      cluster = await openLocalSparkEngine({ spark, translate: toSpark });
    });
    afterEach(async () => {
      await cluster[Symbol.asyncDispose]();
      await harness[Symbol.asyncDispose]();
    });

    test.each(cases)(
      '$name computes the same rows, statistics and measures (seed $seed)',
      async ({ name, seed }) => {
        const into = join(harness.folder, 'lake');
        await generators[name]!.generate({ seed, rows: 120, dates: [...dates], dirtShare: 0.03, into });
        const last = dates[1];
        await harness.put(`landing/${name}/${last}/${name}-${last}-hostile.csv`, hostile[name](last));
        const definition = dags.find((dag) => dag.id === name)!;
        expect((await harness.run(definition, dates[0])).failures).toEqual({});
        const captured = await capture(harness, definition, last);
        expect(captured.length).toBeGreaterThan(2);
        for (const { job, result } of captured) {
          for (const { files } of job.inputs)
            for (const { key } of files) await copy(harness.ports.objects, cluster.objects, key);
          const other = await cluster.engine.run(job);
          for (const measure of job.measures)
            expect(bag(other.measures[measure.name]!), `${job.id}, ${measure.name}`).toEqual(
              bag(result.measures[measure.name]!),
            );
          for (const output of job.outputs)
            await expectSameOutput(job, output, result.outputs[output.name]!, other.outputs[output.name]!);
        }
      },
      600_000,
    );

    async function expectSameOutput(
      job: SqlJob,
      output: OutputRelation,
      one: readonly WrittenPartition[],
      other: readonly WrittenPartition[],
    ): Promise<void> {
      const place = `${job.id}, ${output.name}`;
      expect(facts(other), place).toEqual(facts(one));
      const moved = other.map((partition) => ({
        ...partition,
        files: partition.files.map((file) => ({ ...file, key: `from-spark/${file.key}` })),
      }));
      for (const { files } of other)
        for (const { key } of files)
          await copy(cluster.objects, harness.ports.objects, key, `from-spark/${key}`);
      const list = output.columns.map(({ name }) => `cast("${name}" as varchar) as "${name}"`).join(', ');
      const read = (written: readonly WrittenPartition[]): Promise<unknown[][]> =>
        rows(harness.ports.sql, `select ${list} from written order by all`, [
          input('written', written, output.columns, output.partitionBy),
        ]);
      expect(await read(moved), place).toEqual(await read(one));
    }
  },
);

/** DuckDB tells only the bounds of texts longer than 256 bytes. */
function short(_: string, value: unknown): unknown {
  return typeof value === 'string' ? value.slice(0, 60) : value;
}

/** What is told of an output, without the names and sizes of its files. */
function facts(written: readonly WrittenPartition[]): unknown {
  return written
    .map(({ partition, rows: count, columns }) => ({
      partition,
      rows: count,
      columns: JSON.parse(JSON.stringify(columns, short)) as unknown,
    }))
    .sort((a, b) => (JSON.stringify(a.partition) < JSON.stringify(b.partition) ? -1 : 1));
}

async function copy(from: ObjectStore, to: ObjectStore, key: string, as = key): Promise<void> {
  await to.put(as, from.get(key));
}
