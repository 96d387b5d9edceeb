import pg from 'pg';

/**
 * Run ids are made of DAG ids, and all test files share one Temporal server: the first file to use a DAG id keeps it for
 * this test run, and fails in any other, whether or not the two happened to run at the same moment.
 */
export async function claimDags(postgresUrl: string, file: string, dagIds: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ dag_id: string; file: string }>(
      `insert into claimed_dags as known (dag_id, file) select unnest($1::text[]), $2
       on conflict (dag_id) do update set file = known.file returning dag_id, file`,
      [[...new Set(dagIds)].sort(), file],
    );
    const taken = rows.filter((row) => row.file !== file).map((row) => `${row.dag_id} (${row.file})`);
    if (taken.length > 0)
      throw new Error(`DAG ids that another test file has: ${taken.join(', ')}. Name them otherwise here.`);
  } finally {
    await client.end();
  }
}

/** Before the first test: what {@link claimDags} writes to. */
export async function createClaims(postgresUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl });
  await client.connect();
  try {
    await client.query('create table claimed_dags (dag_id text primary key, file text not null)');
  } finally {
    await client.end();
  }
}
