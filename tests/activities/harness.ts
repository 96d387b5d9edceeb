import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DagDefinition } from '../../dag/builder.ts';
import { compileDag } from '../../dag/compile.ts';
import type { CompiledDag } from '../../dag/compile.ts';
import { intervalForDate, runWorkflowId } from '../../dag/interval.ts';
import type { Json, JsonObject } from '../../dag/json.ts';
import { advance, startRun } from '../../dag/reducer.ts';
import type { RunCommand, RunEvent, RunProgress } from '../../dag/reducer.ts';
import { openDuckDbSqlEngine } from '../../engines/duckdb/sql-engine.ts';
import { openFilesystemObjectStore } from '../../engines/filesystem/object-store.ts';
import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import { openPostgresWarehouse } from '../../engines/postgres/warehouse.ts';
import { migrate } from '../../migrations/migrate.ts';
import { SnapshotConflictError, TerminalError } from '../../ports/errors.ts';
import type { Manifest } from '../../ports/ledger.ts';
import type { Notification } from '../../ports/notifier.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { ResultRow } from '../../ports/sql-engine.ts';
import type { Warehouse } from '../../ports/warehouse.ts';
import type { Contract, TaskContext } from '../../activities/index.ts';
import { openMemory } from '../../activities/memory.ts';
import { jobServices, serviceOf } from '../../activities/suspension.ts';
import type { Ports } from '../../activities/task-context.ts';
import { createDatabase } from '../support/database.ts';

export interface HarnessOptions {
  readonly postgresUrl: string;
  readonly memoryLimitBytes?: number;
  readonly skipUnchanged?: () => boolean;
  /** Called after every task body, before it publishes. */
  readonly onComputed?: (task: string, manifest: Manifest | null) => Promise<void> | void;
}

export interface RunResult {
  readonly runId: string;
  readonly outcome: string;
  readonly outputs: Readonly<Record<string, Json>>;
  readonly failures: Readonly<Record<string, string>>;
  readonly progress: RunProgress;
  readonly warnings: readonly string[];
}

/** Runs DAGs in this process, task by task, with the reducer, real ports and a ledger of its own: everything but Temporal. */
export interface Harness extends AsyncDisposable {
  readonly ports: Ports;
  readonly folder: string;
  readonly notifications: Notification[];
  /** `instead` replaces ports for this run. */
  run(
    definition: DagDefinition<TaskContext>,
    date: string,
    params?: JsonObject,
    instead?: Partial<Ports>,
  ): Promise<RunResult>;
  put(key: string, text: string | Uint8Array): Promise<void>;
  /** Rows of a published table, in the order of all their columns. */
  rows(contract: Contract, columns?: readonly string[]): Promise<readonly ResultRow[]>;
  warehouseRows(sql: string): Promise<readonly (readonly (string | null)[])[]>;
}

export async function openHarness(options: HarnessOptions): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-harness-'));
  const url = await createDatabase(options.postgresUrl);
  await migrate(url);
  const ledger = await openPostgresLedger(url);
  const objects = await openFilesystemObjectStore(join(folder, 'lake'));
  const sql = await openDuckDbSqlEngine({
    objects,
    memoryLimitBytes: options.memoryLimitBytes ?? 512 << 20,
    spillFolder: join(folder, 'spill'),
    threads: 2,
  });
  const notifications: Notification[] = [];
  let warehouse: Promise<Warehouse> | null = null;
  const ports: Ports = {
    objects,
    sql,
    ledger,
    notifier: { notify: async (notification) => void notifications.push(notification) },
    warehouse: () => (warehouse ??= openPostgresWarehouse(url)),
  };
  return {
    ports,
    folder,
    notifications,
    run: (definition, date, params = {}, instead = {}) =>
      runDag(compileDag(definition, { sha256 }), date, params, { ...ports, ...instead }, options),
    put: (key, content) => put(objects, key, content),
    rows: (contract, columns) => publishedRows(ports, contract, columns),
    warehouseRows: async (text) => (await (await ports.warehouse('warehouse')).query(text)).rows,
    async [Symbol.asyncDispose]() {
      if (warehouse !== null) await (await warehouse).close();
      await sql.close();
      await ledger.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function put(objects: ObjectStore, key: string, content: string | Uint8Array): Promise<void> {
  await objects.put(key, typeof content === 'string' ? Buffer.from(content) : content);
}

/** Rows of a published table as text, in the order of all their columns. */
export async function publishedRows(
  ports: Pick<Ports, 'ledger' | 'sql'>,
  contract: Contract,
  asked?: readonly string[],
): Promise<readonly ResultRow[]> {
  const { name, columns: all, partitionBy } = contract.table;
  const columns = asked ?? all.map((column) => column.name);
  const partitions = await ports.ledger.partitions(name);
  const files = partitions.flatMap(({ partition, files: parts }) =>
    parts.map(({ key }) => ({ key, partition })),
  );
  const list = columns.map((column) => `cast("${column}" as varchar) as "${column}"`).join(', ');
  const result = await ports.sql.run({
    id: randomUUID(),
    inputs: [{ name: 'published', columns: all, partitionBy, files }],
    inline: [],
    steps: [],
    outputs: [],
    measures: [{ name: 'rows', sql: `select ${list} from published order by all` }],
  });
  return result.measures['rows']!;
}

async function runDag(
  dag: CompiledDag<TaskContext>,
  date: string,
  params: JsonObject,
  ports: Ports,
  options: HarnessOptions,
): Promise<RunResult> {
  const { plan, hash } = dag;
  const interval = intervalForDate(plan, date);
  const runId = randomUUID();
  const workflowId = runWorkflowId(plan.dagId, interval);
  const logicalDate = interval.start;
  const given = Object.fromEntries(
    Object.entries(plan.params).map(([name, { default: fallback }]) => [name, params[name] ?? fallback]),
  );
  await ports.ledger.beginRun({
    runId,
    workflowId,
    dagId: plan.dagId,
    type: 'manual',
    logicalDate,
    intervalStart: interval.start,
    intervalEnd: interval.end,
    params: given,
    plan,
    planHash: hash,
    build: 'harness',
    startedAt: new Date().toISOString(),
  });
  const warnings: string[] = [];
  const facts = {
    run: { id: runId, type: 'manual' },
    interval: { start: interval.start, end: interval.end, logicalDate },
    params: given,
  };
  let progress = startRun(plan, facts);
  const queue: RunEvent[] = [{ at: 0, type: 'run_started' }];
  let outcome = 'running';
  for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
    const step = advance(plan, progress, event);
    progress = step.progress;
    for (const command of step.commands) {
      if (command.type === 'finish_run') outcome = command.outcome;
      else if (command.type === 'start_timer')
        queue.push({ at: command.untilMs, type: 'timer_fired', key: command.key });
      else if (command.type === 'start_attempt')
        queue.push(
          await attempt(dag, command, { runId, workflowId, facts, ports, options, warnings, at: event.at }),
        );
    }
  }
  const instances = Object.values(progress.instances);
  await ports.ledger.endRun(runId, outcome as 'success', new Date().toISOString(), null);
  return {
    runId,
    outcome,
    progress,
    warnings,
    outputs: Object.fromEntries(instances.map(({ key, output }) => [key, output])),
    failures: Object.fromEntries(
      instances.flatMap(({ key, state, failure }) =>
        state === 'failed' ? [[key, failure?.message ?? '']] : [],
      ),
    ),
  };
}

interface AttemptParts {
  readonly runId: string;
  readonly workflowId: string;
  readonly facts: RunProgress['facts'];
  readonly ports: Ports;
  readonly options: HarnessOptions;
  readonly warnings: string[];
  readonly at: number;
}

async function attempt(
  dag: CompiledDag<TaskContext>,
  command: Extract<RunCommand, { type: 'start_attempt' }>,
  parts: AttemptParts,
): Promise<RunEvent> {
  const { key, taskId, mapIndex, attempt: number } = command;
  const { runId, workflowId, facts, ports, options, warnings, at } = parts;
  const staged: Manifest[] = [];
  const log = (): void => undefined;
  const ended = new AbortController();
  const context: TaskContext = {
    dagId: dag.id,
    taskId,
    mapIndex,
    run: { id: runId, workflowId, type: 'manual' },
    interval: facts.interval,
    params: facts.params,
    triggeringEvents: () => Promise.resolve([]),
    attempt: number,
    lease: command.lease,
    build: 'harness',
    skipUnchanged: options.skipUnchanged?.() === true,
    log: { debug: log, info: log, warn: (message) => void warnings.push(message), error: log },
    signal: new AbortController().signal,
    ended: ended.signal,
    beat: log,
    ports,
    timeoutMs: 3_600_000,
    ...openMemory(ports.objects, { dagId: dag.id, taskId, mapIndex, run: { id: runId }, attempt: number }),
    awaitJob: async (job) => {
      const service = serviceOf(jobServices(ports), job);
      while ((await service.look(job)).state === 'running') await delay(50);
    },
    attemptPrefix: (table) => `data/${table}/${runId}/${taskId}/${number}/`,
    stage: (manifest) => void staged.push(manifest),
  };
  try {
    const running = Promise.resolve(dag.bodies.get(taskId)!.run(command.input, context));
    const output = (await running.finally(() => ended.abort())) as Json;
    await options.onComputed?.(taskId, staged[0] ?? null);
    for (const manifest of staged)
      await ports.ledger.publish({
        runId,
        taskId,
        mapIndex: mapIndex ?? -1,
        attempt: number,
        build: 'harness',
        manifest,
        publishedAt: new Date().toISOString(),
      });
    return {
      at,
      type: 'attempt_succeeded',
      key,
      attempt: number,
      output: JSON.parse(JSON.stringify(output ?? null)) as Json,
    };
  } catch (error) {
    if (error instanceof SnapshotConflictError)
      return { at, type: 'snapshot_conflicted', key, attempt: number };
    const { name, message } = error as Error;
    const failure = { type: name, message, retryable: !(error instanceof TerminalError) };
    const ended = new Date().toISOString();
    await ports.ledger.recordAttempts(runId, [
      {
        taskId,
        mapIndex: mapIndex ?? -1,
        attempt: number,
        state: 'failed',
        scheduledAt: ended,
        startedAt: ended,
        endedAt: ended,
        worker: 'harness',
        failure,
        output: null,
      },
    ]);
    return {
      at,
      type: 'attempt_failed',
      key,
      attempt: number,
      failure,
    };
  }
}
