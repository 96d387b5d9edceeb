import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { createDatabase } from '../support/database.ts';

test('the run of the tests has a Postgres that compares text by code point', async () => {
  const client = new pg.Client({ connectionString: await createDatabase(inject('postgresUrl')) });
  await client.connect();
  const { rows } = await client.query(
    `select array_agg(v order by v) as sorted from unnest(array['b', 'B', 'a', 'é', 'z']) v`,
  );
  await client.end();
  expect(rows[0].sorted).toEqual(['B', 'a', 'b', 'z', 'é']);
});
