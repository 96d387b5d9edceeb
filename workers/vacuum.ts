import type { Ledger } from '../ports/ledger.ts';
import type { ObjectInfo, ObjectStore } from '../ports/object-store.ts';

export interface VacuumRequest {
  readonly ledger: Ledger;
  readonly objects: ObjectStore;
  /** Longer than the longest query: what lost its last use within this time stays. */
  readonly olderThanMs: number;
  /** Says what would be removed and removes nothing. */
  readonly dryRun: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What was removed, or would be. */
export interface VacuumResult {
  /** Versions whose files are gone from history. */
  readonly versions: number;
  /** Files of those versions. */
  readonly versionFiles: readonly string[];
  /** Files that attempts wrote and nobody published. */
  readonly orphans: readonly string[];
  readonly bytes: number;
}

interface Removal {
  readonly keys: readonly string[];
  readonly bytes: number;
}

/** Attempts write under `data/<table>/<run>/<task>/<attempt>/`; nothing else in the store is vacuum's to judge. */
const attemptRoot = 'data/';
const keysAtOnce = 1_000;

/** Files first, then the ledger: killed in between, the next vacuum finds the same versions and absent files. */
async function removeVersions(
  request: VacuumRequest,
  cutoff: string,
): Promise<Removal & { readonly versions: number }> {
  const files = await request.ledger.unreferencedFiles(cutoff);
  const byVersion = [...Map.groupBy(files, (file) => file.version)];
  let batch: typeof byVersion = [];
  const flush = async (): Promise<void> => {
    if (request.dryRun || batch.length === 0) return;
    await request.objects.remove(batch.flatMap(([, some]) => some.map((file) => file.key)));
    await request.ledger.forgetVersions(batch.map(([version]) => version));
    batch = [];
  };
  for (const entry of byVersion) {
    batch.push(entry);
    if (batch.reduce((count, [, some]) => count + some.length, 0) >= keysAtOnce) await flush();
  }
  await flush();
  const sizes = new Map(files.map((file) => [file.key, file.bytes]));
  return {
    versions: byVersion.length,
    keys: [...sizes.keys()],
    bytes: [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0),
  };
}

interface AttemptFolder {
  readonly prefix: string;
  readonly runId: string;
}

/** `data/<table>/<run>/` and its run, or null for a key of another form. */
function folderOf(key: string): AttemptFolder | null {
  const [root, table, runId, ...rest] = key.split('/');
  if (table === undefined || runId === undefined || rest.length < 3) return null;
  return { prefix: `${root}/${table}/${runId}/`, runId };
}

/** Whether nothing of the run can be published any more, and has not been able to for the whole retention. */
async function isLongClosed(ledger: Ledger, runId: string, cutoff: string): Promise<boolean> {
  const run = await ledger.run(runId);
  return run !== null && run.endedAt !== null && Date.parse(run.endedAt) < Date.parse(cutoff);
}

async function* foldersOf(
  objects: ObjectStore,
): AsyncIterable<{ folder: AttemptFolder; files: readonly ObjectInfo[] }> {
  let open: { folder: AttemptFolder; files: ObjectInfo[] } | null = null;
  for await (const file of objects.list(attemptRoot)) {
    const folder = folderOf(file.key);
    if (folder === null) continue;
    if (open !== null && open.folder.prefix === folder.prefix) open.files.push(file);
    else {
      if (open !== null) yield open;
      open = { folder, files: [file] };
    }
  }
  if (open !== null) yield open;
}

async function removeOrphans(request: VacuumRequest, cutoff: string): Promise<Removal> {
  const { ledger, objects, dryRun } = request;
  const closed = new Map<string, boolean>();
  const keys: string[] = [];
  let bytes = 0;
  for await (const { folder, files } of foldersOf(objects)) {
    const { runId, prefix } = folder;
    if (!closed.has(runId)) closed.set(runId, await isLongClosed(ledger, runId, cutoff));
    if (closed.get(runId) !== true) continue;
    const referenced = await ledger.referencedKeys(prefix);
    const orphans = files.filter(
      (file) => !referenced.has(file.key) && Date.parse(file.modifiedAt) < Date.parse(cutoff),
    );
    if (orphans.length === 0) continue;
    if (!dryRun) await objects.remove(orphans.map((file) => file.key));
    keys.push(...orphans.map((file) => file.key));
    bytes += orphans.reduce((sum, file) => sum + file.bytes, 0);
  }
  return { keys, bytes };
}

/**
 * Removes the files of versions nobody can need any more, and files of closed runs that no version refers to, both
 * past the retention. May be killed and repeated at any time.
 */
export async function vacuum(request: VacuumRequest): Promise<VacuumResult> {
  const cutoff = new Date(request.now - request.olderThanMs).toISOString();
  const published = await removeVersions(request, cutoff);
  const orphaned = await removeOrphans(request, cutoff);
  return {
    versions: published.versions,
    versionFiles: published.keys,
    orphans: orphaned.keys,
    bytes: published.bytes + orphaned.bytes,
  };
}
