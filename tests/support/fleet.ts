import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import pg from 'pg';
import { ended, startIngot, type CliRun } from './cli.ts';
import { eventually } from './processes.ts';

export interface FleetWorker {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly end: Promise<CliRun>;
}

export interface FleetPlace {
  readonly home: string;
  readonly taskQueue: string;
  readonly ledgerUrl: string;
  /** Beside what every worker of a fleet is given, or in its place. */
  readonly env?: NodeJS.ProcessEnv;
}

let started = 0;

/** `ingot worker` in a process of its own, once it takes work. */
export async function startFleetWorker(
  { home, taskQueue, ledgerUrl, env = {} }: FleetPlace,
  args: readonly string[] = [],
): Promise<FleetWorker> {
  const readyFile = join(home, `ready-${(started += 1)}`);
  const child = startIngot(home, ['worker', '--ready-file', readyFile, ...args], {
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    INGOT_LEDGER_URL: ledgerUrl,
    INGOT_WAREHOUSE_URL: ledgerUrl,
    INGOT_TASK_QUEUE: taskQueue,
    INGOT_DAGS: join(import.meta.dirname, 'fleet-dags.ts'),
    ...env,
  });
  const end = ended(child);
  await eventually('a worker that takes work', async () => {
    if (child.exitCode !== null) throw new Error((await end).stderr);
    return existsSync(readyFile) || null;
  });
  return { child, pid: child.pid!, end };
}

/** Begins of task bodies, by whichever worker. */
export interface Call {
  readonly run_id: string;
  readonly task: string;
  readonly attempt: number;
  readonly worker: number;
}

export async function openCalls(
  ledgerUrl: string,
): Promise<{ readonly all: () => Promise<Call[]> } & AsyncDisposable> {
  const pool = new pg.Pool({ connectionString: ledgerUrl });
  await pool.query('create schema fleet');
  await pool.query('create table fleet.calls (run_id text, task text, attempt int, worker int)');
  return {
    all: async () => (await pool.query<Call>('select * from fleet.calls')).rows,
    [Symbol.asyncDispose]: () => pool.end(),
  };
}
