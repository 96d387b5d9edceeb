import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { migrate } from '../migrations/migrate.ts';
import { openPostgresServer } from '../workers/stack/postgres-server.ts';

/** `ingot runs list` over ten thousand runs, as a command from its start to its last line. */
const runs = 10_000;
const limitMs = 1000;
const rounds = 5;

const fill = `
  insert into ingot.plans (hash, dag_id, plan) values ('p', 'dag', '{}');
  insert into ingot.runs (run_id, workflow_id, dag_id, type, state, logical_date, interval_start, interval_end, params, plan_hash,
                          build, started_at, ended_at)
    select 'run-' || i, 'dag' || i % 10 || '-' || i / 10, 'dag' || i % 10, 'scheduled', 'success', at, at, at + interval '1 hour', '{}',
           'p', 'b', at, at + interval '1 minute'
      from generate_series(1, ${runs}) i, lateral (select timestamptz '2020-01-01Z' + i * interval '1 hour' as at) t;
  analyze`;

const folder = await mkdtemp(join(tmpdir(), 'ingot-bench-'));
await chmod(folder, 0o755);
const postgres = await openPostgresServer({ folder: join(folder, 'postgres') });
try {
  const url = postgres.url('postgres');
  await migrate(url);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(fill);
  await client.end();
  const command = join(import.meta.dirname, '..', 'cli', 'ingot.js');
  const env = {
    ...process.env,
    INGOT_HOME: join(folder, 'home'),
    INGOT_LEDGER_URL: url,
    INGOT_WAREHOUSE_URL: url,
  };
  const list = async (limit: number): Promise<{ ms: number; lines: number }> => {
    const begun = performance.now();
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [command, 'runs', 'list', '--limit', String(limit)],
      { env, maxBuffer: 64 * 1024 * 1024 },
    );
    return { ms: performance.now() - begun, lines: stdout.trim().split('\n').length - 1 };
  };
  for (const limit of [50, runs]) {
    await list(limit);
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const { ms, lines } = await list(limit);
      if (lines !== limit) throw new Error(`expected ${limit} runs, found ${lines}`);
      times.push(ms);
    }
    const median = times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)]!;
    console.log(
      `runs list --limit ${limit} of ${runs.toLocaleString('en')}: ${(median / 1000).toFixed(2)} s (at most ${limitMs / 1000}: ${median <= limitMs ? 'yes' : 'NO'})`,
    );
  }
} finally {
  await postgres.close();
  await rm(folder, { recursive: true, force: true });
}
