import { expect, test } from 'vitest';
import { lowerPairs, upperPairs } from '../../../engines/spark-sql/case-pairs.ts';
import { openedEngine } from '../duckdb/opened.ts';
import { rows } from '../../ports/sql-engine/fixture.ts';

test.each([
  ['lower', lowerPairs],
  ['upper', upperPairs],
])('%s maps every letter as DuckDB does', async (name, { from, to }) => {
  await using fixture = await openedEngine();
  const letter = 'chr(cast(i as int))';
  const found = await rows(
    fixture.engine,
    `select ${letter}, ${name}(${letter}) from range(1, 1114112) t(i)
     where (i < 55296 or i > 57343) and ${name}(${letter}) <> ${letter} order by i`,
  );
  expect(found.map(([letter]) => letter).join('')).toBe(from);
  expect(found.map(([, other]) => other).join('')).toBe(to);
});
