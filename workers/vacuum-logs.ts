import { logRoot, runOfLog } from '../activities/log-keys.ts';
import { jobRoot, runOfJob } from '../activities/memory.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { ObjectInfo, ObjectStore } from '../ports/object-store.ts';

export interface LogVacuumRequest {
  readonly ledger: Ledger;
  readonly objects: ObjectStore;
  readonly olderThanMs: number;
  /** Says what would be removed and removes nothing. */
  readonly dryRun: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface LogVacuumResult {
  readonly files: number;
  readonly bytes: number;
}

const keysAtOnce = 1000;

/** What belongs to attempts and nobody publishes, and the run a key is of. */
const traces = [
  { root: logRoot, runOf: runOfLog },
  { root: jobRoot, runOf: runOfJob },
];

async function* traceFiles(objects: ObjectStore): AsyncIterable<ObjectInfo & { readonly runId: string }> {
  for (const { root, runOf } of traces)
    for await (const file of objects.list(root)) {
      const runId = runOf(file.key);
      if (runId !== null) yield { ...file, runId };
    }
}

/** Removes what tasks logged, and kept of jobs elsewhere, longer ago than the retention, of runs that are not open any more. May be killed and repeated. */
export async function vacuumLogs(request: LogVacuumRequest): Promise<LogVacuumResult> {
  const { ledger, objects, dryRun } = request;
  const cutoff = request.now - request.olderThanMs;
  const isOpen = new Map<string, boolean>();
  let batch: string[] = [];
  let [files, bytes] = [0, 0];
  const flush = async (): Promise<void> => {
    if (!dryRun) await objects.remove(batch);
    batch = [];
  };
  for await (const { runId, ...file } of traceFiles(objects)) {
    if (Date.parse(file.modifiedAt) >= cutoff) continue;
    if (!isOpen.has(runId)) isOpen.set(runId, (await ledger.run(runId))?.state === 'running');
    if (isOpen.get(runId) === true) continue;
    batch.push(file.key);
    files += 1;
    bytes += file.bytes;
    if (batch.length >= keysAtOnce) await flush();
  }
  await flush();
  return { files, bytes };
}
