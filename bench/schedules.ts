import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { Runtime } from '@temporalio/worker';
import type { Ports, TaskContext } from '../activities/task-context.ts';
import { createDagFactory } from '../dag/builder.ts';
import { openPostgresLedger } from '../engines/postgres/ledger.ts';
import { migrate } from '../migrations/migrate.ts';
import type { RunRecord } from '../ports/ledger.ts';
import { compileDefinitions } from '../workers/definitions.ts';
import { applyDeploy, planDeploy } from '../workers/deploy.ts';
import { openPostgresServer } from '../workers/stack/postgres-server.ts';
import { resolveTemporalBinary } from '../workers/stack/temporal-binary.ts';
import { openTemporalServer } from '../workers/stack/temporal-server.ts';
import { openWorker } from '../workers/worker.ts';
import { noop } from './handwritten/activities.ts';

/** Many DAGs of a short schedule for some minutes: whether every interval got its run, and how late after its end. */
const { values } = parseArgs({
  options: {
    dags: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '60' },
    minutes: { type: 'string', default: '4' },
  },
});
const scheduledFor = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');
const everyMs = Number(values.seconds) * 1000;

const dag = createDagFactory<TaskContext>();
const dags = Array.from({ length: Number(values.dags) }, (_, index) =>
  dag(`minutely_${index}`, { schedule: { every: everyMs } }, ({ task }) => {
    task('work', noop);
  }),
);

const quiet = (): void => {};
Runtime.install({
  logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: console.warn, error: console.error },
  shutdownSignals: [],
});

const folder = await mkdtemp(join(tmpdir(), 'ingot-bench-'));
// As root, Postgres runs under another account.
await chmod(folder, 0o755);
const binary = await resolveTemporalBinary({ env: process.env, progress: console.error });
const postgres = await openPostgresServer({ folder: join(folder, 'postgres'), durable: true });
const temporal = await openTemporalServer({
  binary: binary.path,
  folder: join(folder, 'temporal'),
  ui: false,
  retentionDays: 1,
});
const ledgerUrl = postgres.url('postgres');
await migrate(ledgerUrl);
const ledger = await openPostgresLedger(ledgerUrl);
const { address } = temporal;
const connection = await Connection.connect({ address });
const client = new Client({ connection });
const definitions = compileDefinitions(dags);
const absent = <T extends object>(): T => ({}) as T;
const ports: Ports = {
  ledger,
  objects: absent(),
  sql: absent(),
  notifier: absent(),
  warehouse: () => Promise.reject(new Error('no warehouse in this bench')),
};
const worker = await openWorker({
  connection: { address },
  namespace: 'default',
  taskQueue: 'bench',
  definitions,
  ports,
  build: 'bench',
  cacheFolder: join(folder, 'cache'),
});
const working = worker.run();

function latenessMs(run: RunRecord): number {
  return Date.parse(run.startedAt) - Date.parse(run.intervalEnd);
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

async function runsOf(first: number, until: number): Promise<RunRecord[]> {
  return (await ledger.runs({ limit: 1_000_000 })).filter((run) => {
    const end = Date.parse(run.intervalEnd);
    return end >= first && end <= until;
  });
}

function spread(label: string, unsorted: readonly number[]): string {
  const sorted = unsorted.toSorted((a, b) => a - b);
  return `${label}: p50 ${percentile(sorted, 0.5)} ms, p95 ${percentile(sorted, 0.95)} ms, most ${sorted.at(-1) ?? 0} ms`;
}

/** When each tick was due, and when it began. */
async function tickDelays(from: number, until: number): Promise<number[]> {
  const delays: number[] = [];
  for await (const tick of client.workflow.list({ query: "WorkflowType = 'tick'", pageSize: 1000 })) {
    const due = tick.typedSearchAttributes.get(scheduledFor)?.getTime();
    if (due !== undefined && due >= from && due <= until) delays.push(tick.startTime.getTime() - due);
  }
  return delays;
}

try {
  const parts = { client, ledger, definitions, taskQueue: 'bench', prune: false };
  const deployedAt = Date.now();
  await applyDeploy(parts, await planDeploy(parts));
  const deployMs = Date.now() - deployedAt;
  const until = Math.ceil(Date.now() / everyMs) * everyMs + Number(values.minutes) * 60_000;
  const first = Math.ceil((deployedAt + deployMs) / everyMs) * everyMs;
  const expected = dags.length * Math.floor((until - first) / everyMs + 1);
  await delay(until - Date.now());
  let runs = await runsOf(first, until);
  // What is late is late, and measured as such; what has not come after a minute is missed.
  for (const giveUpAt = Date.now() + 60_000; Date.now() < giveUpAt; runs = await runsOf(first, until)) {
    if (runs.filter(({ endedAt }) => endedAt !== null).length >= expected) break;
    await delay(1000);
  }
  const succeeded = runs.filter((run) => run.state === 'success').length;
  console.log(`deploy of ${dags.length} schedules: ${deployMs} ms`);
  console.log(
    `${dags.length} DAGs every ${values.seconds} s for ${values.minutes} min: ${runs.length} of ${expected} intervals run, ${succeeded} succeeded`,
  );
  const ended = runs.flatMap(({ startedAt, endedAt }) =>
    endedAt === null ? [] : [Date.parse(endedAt) - Date.parse(startedAt)],
  );
  console.log(spread("start after interval's end", runs.map(latenessMs)));
  console.log(spread('of that, until Temporal fired the tick', await tickDelays(first, until)));
  console.log(spread("from a run's start to its end", ended));
  if (runs.length !== expected) process.exitCode = 1;
} finally {
  worker.shutdown();
  await working;
  await connection.close();
  await ledger.close();
  await Promise.all([postgres.close(), temporal.close()]);
  await rm(folder, { recursive: true, force: true });
}
