import { expect, test } from 'vitest';
import { portabilityProblems } from '../../engines/spark-sql/to-spark.ts';
import { loadDefinitions } from '../../workers/definitions.ts';

test('every select of every model is SQL that DuckDB and Spark mean alike', async () => {
  const selects = [...(await loadDefinitions()).values()].flatMap((dag) =>
    [...dag.bodies.values()].flatMap((body) => body.selects),
  );
  expect(selects.length).toBeGreaterThan(30);
  expect(
    selects.flatMap(({ name, sql }) => portabilityProblems(sql).map((each) => ({ name, ...each }))),
  ).toEqual([]);
});
