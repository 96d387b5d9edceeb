import { RetryableError } from '../ports/errors.ts';
import type { PartitionVersion, Snapshot } from '../ports/ledger.ts';
import type { SliceFingerprint } from '../ports/slices.ts';
import type { SqlJob, SqlJobResult } from '../ports/sql-engine.ts';
import type { Json } from '../dag/json.ts';
import type { EngineChoice } from './engine-choice.ts';
import type { Taken } from './snapshots.ts';
import { askingService } from './suspension.ts';
import type { Model } from './sql-model.ts';
import type { TaskContext } from './task-context.ts';

/** Everything an attempt of a model decides before it computes. Plain JSON: one that waits for a cluster begins again with it. */
export type PreparedModel = {
  readonly snapshot: Snapshot;
  readonly versions: Readonly<Record<string, readonly PartitionVersion[]>>;
  readonly job: SqlJob;
  readonly choice: EngineChoice;
  /** Of what is computed; what is left as it is has its name in `unchanged`. */
  readonly slices: readonly SliceFingerprint[];
  readonly unchanged: readonly string[];
  readonly sqlHash: string;
  readonly contractHash: string;
};

const memory = 'prepared';

export function takenOf({ snapshot, versions }: PreparedModel): Taken {
  return { snapshot, versions: new Map(Object.entries(versions)) };
}

/** What this attempt prepared before it waited for its cluster job; null for one that begins. */
export async function recallPrepared(model: Model, context: TaskContext): Promise<PreparedModel | null> {
  if (context.ports.cluster === undefined) return null;
  const known = (await context.recall<Json>(memory)) as unknown as PreparedModel | null;
  if (known === null) return null;
  if (known.sqlHash === model.sqlHash && known.contractHash === model.contractHash) return known;
  throw new RetryableError({
    place: `${context.dagId}.${context.taskId}, attempt ${context.attempt}`,
    expected: 'the SQL and the contracts with which the cluster job was submitted',
    found: 'others: the code was deployed anew meanwhile',
    remedy: 'The next attempt computes with the new code.',
  });
}

/** Runs the job where it was decided to. On the cluster the attempt leaves its worker until the job has ended. */
export async function runPrepared(
  { job, choice, snapshot }: PreparedModel,
  context: TaskContext,
): Promise<SqlJobResult> {
  const { dagId, taskId, run, ports, timeoutMs, signal, lease } = context;
  const call = { signal, beat: (note?: string) => context.beat(note) };
  if (choice.on === 'worker') return ports.sql.run(job, call);
  const { cluster } = ports.cluster!;
  const origin = { dagId, taskId, runId: run.id, workflowId: run.workflowId, timeoutMs };
  const external = await context.remember(
    'submitted',
    async () => ({ ...(await askingService(() => cluster.submit(job, origin, call))) }) as Json,
  );
  const submitted = external as unknown as Awaited<ReturnType<typeof cluster.submit>>;
  // Nobody renews them while no worker has the attempt.
  if (lease)
    await ports.ledger.lease(
      run.id,
      snapshot.parts.map(({ selector }) => selector),
      timeoutMs,
    );
  await context.awaitJob(submitted);
  return cluster.collect(job, submitted, call);
}

/** Of two tries of one attempt that prepare at once for the cluster, the first one is right. */
export async function keepPrepared(prepared: PreparedModel, context: TaskContext): Promise<PreparedModel> {
  if (prepared.choice.on === 'worker') return prepared;
  return (await context.remember(
    memory,
    async () => prepared as unknown as Json,
  )) as unknown as PreparedModel;
}
