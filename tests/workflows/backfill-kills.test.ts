import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { expect, inject, test } from 'vitest';
import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import { migrate } from '../../migrations/migrate.ts';
import type { BackfillRecord } from '../../ports/backfill.ts';
import { createBackfill } from '../../workers/backfills.ts';
import { openTemporalServer, type TemporalServer } from '../../workers/stack/temporal-server.ts';
import { createDatabase } from '../support/database.ts';
import { eventually } from '../support/processes.ts';
import { day } from './backfill-parts.ts';
import { temporaryFolder } from './harness.ts';

const bundles = join(import.meta.dirname, '../../.vitest/bundles');
const total = 40;

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

test(
  'workers and the server killed in the middle cost a backfill nothing but time',
  { timeout: 180_000 },
  async () => {
    await using folder = await temporaryFolder();
    const ledgerUrl = await createDatabase(inject('postgresUrl'));
    await migrate(ledgerUrl);
    const ledger = await openPostgresLedger(ledgerUrl);
    const serve = (ports?: TemporalServer['ports']) =>
      openTemporalServer({
        binary: inject('temporalBinary'),
        folder: folder.path,
        ui: false,
        retentionDays: 1,
        ...(ports === undefined ? {} : { ports, anyPort: false }),
      });
    let server = await serve();
    const { address, ports } = server;
    const work = (): ChildProcess =>
      spawn(
        process.execPath,
        [join(import.meta.dirname, 'backfill-worker.ts'), address, ledgerUrl, bundles],
        {
          stdio: ['ignore', 'ignore', 'inherit'],
        },
      );
    let worker = work();
    const connection = await Connection.connect({ address });
    const client = new Client({ connection });
    const { backfillId } = await createBackfill(client, {
      taskQueue: 'days',
      dagId: 'days',
      timetable: { schedule: { cron: '@daily' }, timezone: 'UTC' },
      from: day(1).start,
      to: day(total).start,
      backwards: false,
      reprocess: 'none',
      maxActiveRuns: 4,
      params: {},
      runsPerExecution: 9,
    });
    const until = (what: string, holds: (backfill: BackfillRecord) => boolean) =>
      eventually(what, async () => {
        const backfill = await ledger.backfill(backfillId);
        return backfill !== null && holds(backfill) ? backfill : null;
      });
    try {
      for (const done of [3, 14]) {
        await until(`${done} runs`, ({ counts }) => counts.success >= done);
        await end(worker, 'SIGKILL');
        worker = work();
      }
      await until('25 runs', ({ counts }) => counts.success >= 25);
      process.kill(server.child.program.pid, 'SIGKILL');
      await server.child.exited;
      server = await serve(ports);
      await until('30 runs', ({ counts }) => counts.success >= 30);
      await end(worker, 'SIGKILL');
      worker = work();
      expect(await until('its end', ({ endedAt }) => endedAt !== null)).toMatchObject({
        state: 'success',
        counts: { success: total, running: 0, remaining: 0 },
      });
      const runs = await ledger.runs({ dagId: 'days', limit: 1000 });
      expect(new Set(runs.map((run) => run.intervalStart)).size).toBe(total);
      expect(runs.map((run) => [run.type, run.state])).toEqual(
        Array.from({ length: total }, () => ['backfill', 'success']),
      );
    } finally {
      await end(worker, 'SIGTERM');
      await connection.close();
      await ledger.close();
      await server.close();
    }
  },
);
