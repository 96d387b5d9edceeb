import { logRoot, runOfLog } from '../activities/log-keys.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { ObjectStore } from '../ports/object-store.ts';

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

/** Removes what tasks logged longer ago than the retention, of runs that are not open any more. May be killed and repeated. */
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
  for await (const file of objects.list(logRoot)) {
    const runId = runOfLog(file.key);
    if (runId === null || Date.parse(file.modifiedAt) >= cutoff) continue;
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
