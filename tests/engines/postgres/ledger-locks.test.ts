import pg from 'pg';
import { expect, inject, test, vi } from 'vitest';
import { RetryableError } from '../../../ports/errors.ts';
import {
  bronze,
  bronzeDay,
  manifest,
  openRun,
  output,
  publishNow,
  request,
  writes,
} from '../../ports/ledger/fixture.ts';
import { databases } from './databases.ts';
import { ledgersOn } from './ledger-fixture.ts';
import type { PostgresLedgerFixture } from './ledger-fixture.ts';

const server = databases(inject('postgresUrl'));
const open = ledgersOn(inject('postgresUrl'));
const day1 = bronzeDay('2026-01-01');

async function waitForWaiters({ url }: PostgresLedgerFixture, count: number): Promise<void> {
  await vi.waitFor(async () => {
    const waiting = await server.query(
      url,
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect(waiting).toHaveLength(count);
  });
}

/** A session that stops every publication in the middle of its writing, until it is released. */
async function blockWriting(url: string): Promise<{ release(): Promise<void> }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('begin; lock table ingot.watermarks in exclusive mode');
  return { release: () => client.end() };
}

test('a run cannot end in the middle of one of its publications', async () => {
  await using fixture = await open();
  const { ledger } = fixture;
  await ledger.registerTables([bronze]);
  const runId = await openRun(ledger);
  const blocker = await blockWriting(fixture.url);
  const publishing = publishNow(ledger, runId, 'load', [day1]);
  await waitForWaiters(fixture, 1);
  const ending = ledger.endRun(runId, 'cancelled', '2026-01-02T00:10:00Z', null);
  // The end waits for the publication, which waits for the blocker.
  await waitForWaiters(fixture, 2);
  await blocker.release();
  await Promise.all([publishing, ending]);
  expect(await ledger.run(runId)).toMatchObject({ state: 'cancelled' });
  expect(await ledger.partitions(bronze.name)).toHaveLength(1);
});

test('a plan that went with a restore of the database is sent again', async () => {
  await using fixture = await open();
  const { ledger } = fixture;
  await openRun(ledger);
  await server.query(fixture.url, 'truncate ingot.runs, ingot.plans cascade');
  await expect(openRun(ledger)).rejects.toThrow();
  const runId = await openRun(ledger);
  expect(await ledger.run(runId)).toMatchObject({ state: 'running' });
});

test('a slot asked for while its run is closed is given back at the next look at the pools', async () => {
  await using fixture = await open();
  const { ledger } = fixture;
  await ledger.setPool('narrow', 1);
  const runId = await openRun(ledger);
  // As a request does that a hanging worker sent: it holds the run open until it has asked.
  const late = new pg.Client({ connectionString: fixture.url });
  await late.connect();
  await late.query('begin');
  await late.query('select from ingot.runs where run_id = $1 for share', [runId]);
  const ending = ledger.endRun(runId, 'cancelled', '2026-01-02T00:10:00Z', null);
  await waitForWaiters(fixture, 1);
  await late.query(
    `insert into ingot.pool_leases (lease_id, pool, run_id, workflow_id, task, slots, priority, granted_at)
     values ('late', 'narrow', $1, 'shop', 'work', 1, 0, now())`,
    [runId],
  );
  await late.query('commit');
  await Promise.all([ending, late.end()]);
  await ledger.servePools();
  expect(await ledger.poolLeases('narrow')).toEqual([]);
});

test('a publication whose session dies in the middle of its writing leaves nothing, and can be repeated', async () => {
  await using fixture = await open();
  const { ledger } = fixture;
  await ledger.registerTables([bronze]);
  const runId = await openRun(ledger);
  const { snapshot } = await ledger.snapshot([writes(day1)]);
  const wanted = request(runId, manifest(snapshot, [output(day1)]));
  const blocker = await blockWriting(fixture.url);
  const refused = expect(ledger.publish(wanted)).rejects.toThrow(RetryableError);
  await waitForWaiters(fixture, 1);
  await server.query(
    fixture.url,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  await refused;
  await blocker.release();
  expect(await ledger.partitions(bronze.name)).toEqual([]);
  expect(await ledger.events({})).toEqual([]);
  const published = await ledger.publish(wanted);
  expect(await ledger.history({})).toEqual([published]);
});

test('publications that share no table do not wait for each other', async () => {
  await using fixture = await open();
  const { ledger } = fixture;
  const other = { ...bronze, name: 'shop.other' };
  await ledger.registerTables([bronze, other]);
  const runId = await openRun(ledger);
  const holder = new pg.Client({ connectionString: fixture.url });
  await holder.connect();
  const { takeLocks } = await import('../../../engines/postgres/advisory-locks.ts');
  await holder.query('begin');
  await takeLocks(
    async (sql, values) => (await holder.query(sql, values as unknown[])).rows,
    [{ name: `table:${bronze.name}`, mode: 'exclusive' }],
  );
  const waiting = publishNow(ledger, runId, 'waits', [day1]);
  await waitForWaiters(fixture, 1);
  await publishNow(ledger, runId, 'passes', [{ table: other.name, values: { day: '2026-01-01' } }]);
  expect(await ledger.partitions(bronze.name)).toEqual([]);
  await holder.end();
  await waiting;
  expect(await ledger.partitions(bronze.name)).toHaveLength(1);
});
