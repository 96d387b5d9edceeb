import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Ports, TaskContext } from '../../activities/task-context.ts';
import type { DagDefinition } from '../../dag/builder.ts';
import type { JsonObject } from '../../dag/json.ts';
import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import { migrate } from '../../migrations/migrate.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { RunRequest } from '../../ports/run-steps.ts';
import { runResult, startRun, type RunHandle, type RunResult } from '../../workers/client.ts';
import { compileDefinitions } from '../../workers/definitions.ts';
import { openWorker, type OpenWorker, type WorkerSettings } from '../../workers/worker.ts';
import { createDatabase } from '../support/database.ts';
import { portsWith, quietRuntime } from './parts.ts';

export const day = { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' };

export interface Bench extends AsyncDisposable {
  readonly client: Client;
  readonly ledger: Ledger;
  readonly ledgerUrl: string;
  readonly taskQueue: string;
  readonly cacheFolder: string;
  /** A worker that runs until the bench is closed or it is stopped. */
  work(
    dags: readonly DagDefinition<TaskContext>[],
    ports?: Partial<Ports>,
    settings?: Pick<WorkerSettings, 'alertRetry'>,
  ): Promise<StartedWorker>;
  start(
    dagId: string,
    options?: {
      readonly interval?: typeof day;
      readonly params?: JsonObject;
      readonly continueAfter?: RunRequest['continueAfter'];
    },
  ): Promise<RunHandle>;
  result(run: RunHandle): Promise<RunResult>;
  /** States by `task` or `task[i]`, of the last attempt, as the ledger has them. */
  states(run: RunHandle): Promise<Record<string, string>>;
  /** Types of the activities the run scheduled, local ones left out. */
  activityTypes(run: RunHandle): Promise<string[]>;
  /** Number of events of each execution of the run, the first one first. */
  executions(run: RunHandle): Promise<number[]>;
  /** What the Temporal UI shows beside the activities. */
  summaries(run: RunHandle): Promise<string[]>;
}

export interface StartedWorker {
  stop(): Promise<void>;
}

export interface Servers {
  readonly postgresUrl: string;
  readonly temporalAddress: string;
}

/** An empty ledger and a task queue of its own on servers that run. */
export async function openBenchOn({ postgresUrl, temporalAddress: address }: Servers): Promise<Bench> {
  quietRuntime();
  const ledgerUrl = await createDatabase(postgresUrl);
  await migrate(ledgerUrl);
  const ledger = await openPostgresLedger(ledgerUrl);
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  const taskQueue = `test-${crypto.randomUUID()}`;
  const cacheFolder = join(import.meta.dirname, '../../.vitest/bundles');
  const running = new Set<StartedWorker>();

  async function work(
    dags: readonly DagDefinition<TaskContext>[],
    ports: Partial<Ports> = {},
    settings: Pick<WorkerSettings, 'alertRetry'> = {},
  ): Promise<StartedWorker> {
    const opened: OpenWorker = await openWorker({
      connection: { address },
      namespace: 'default',
      taskQueue,
      definitions: compileDefinitions(dags),
      ports: portsWith(ledger, ports),
      build: 'test',
      cacheFolder,
      drainMs: 1000,
      ...settings,
    });
    const ended = opened.run();
    const started = {
      stop: async () => {
        running.delete(started);
        opened.shutdown();
        await ended;
      },
    };
    running.add(started);
    return started;
  }

  const eventsOf = async (run: RunHandle) =>
    (await client.workflow.getHandle(run.workflowId, run.runId).fetchHistory()).events ?? [];

  return {
    client,
    ledger,
    ledgerUrl,
    taskQueue,
    cacheFolder,
    work,
    start: (dagId, options = {}) =>
      startRun(client, {
        taskQueue,
        dagId,
        interval: options.interval ?? day,
        type: 'manual',
        ...(options.params === undefined ? {} : { params: options.params }),
        ...(options.continueAfter === undefined ? {} : { continueAfter: options.continueAfter }),
      }),
    result: (run) => runResult(client, run),
    states: async (run) => {
      const attempts = await ledger.attempts(run.runId);
      const last = attempts.toSorted((a, b) => a.attempt - b.attempt);
      return Object.fromEntries(
        last.map((each) => [
          each.mapIndex < 0 ? each.taskId : `${each.taskId}[${each.mapIndex}]`,
          each.state,
        ]),
      );
    },
    activityTypes: async (run) => {
      const events = await eventsOf(run);
      return events.flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
    },
    executions: async ({ workflowId, runId }) => {
      const lengths: number[] = [];
      for (let id: string | undefined = runId; id !== undefined;) {
        const { events } = await client.workflow.getHandle(workflowId, id).fetchHistory();
        lengths.push(events!.length);
        id = events!.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
      }
      return lengths;
    },
    summaries: async (run) => {
      const events = await eventsOf(run);
      return events.flatMap(({ userMetadata }) =>
        userMetadata?.summary ? [defaultPayloadConverter.fromPayload<string>(userMetadata.summary)] : [],
      );
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map((worker) => worker.stop()));
      await connection.close();
      await ledger.close();
    },
  };
}
