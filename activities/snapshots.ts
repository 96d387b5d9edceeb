import { setTimeout as delay } from 'node:timers/promises';
import type { PartitionSelector, PartitionVersion, Snapshot } from '../ports/ledger.ts';
import type { InputFile } from '../ports/sql-engine.ts';
import type { Selection } from './selection.ts';
import { selectors } from './selection.ts';
import type { TaskContext } from './task-context.ts';

export interface Wanted {
  readonly name: string;
  readonly table: string;
  readonly selection: Selection;
  readonly role: 'input' | 'output';
}

/** One snapshot of everything a task reads and writes, and the versions behind each name. */
export interface Taken {
  readonly snapshot: Snapshot;
  readonly versions: ReadonlyMap<string, readonly PartitionVersion[]>;
}

const leaseMs = 300_000;
const askAgainMs = 1_000;

/** Takes the snapshot in one ledger transaction; an attempt that lost too many leases everything in it before. */
export async function takeSnapshot(context: TaskContext, wanted: readonly Wanted[]): Promise<Taken> {
  const asked = wanted.flatMap(({ name, table, selection, role }) =>
    selectors(table, selection, context.interval).map((selector) => ({ name, selector, role })),
  );
  if (context.lease)
    await takeLeases(
      context,
      asked.map(({ selector }) => selector),
    );
  const { snapshot, partitions } = await context.ports.ledger.snapshot(
    asked.map(({ selector, role }) => ({ selector, role })),
  );
  const byName = new Map(partitions.map((version) => [`${version.table} ${version.partitionText}`, version]));
  const versions = new Map<string, PartitionVersion[]>(wanted.map(({ name }) => [name, []]));
  for (const [index, { name, selector }] of asked.entries())
    for (const [text, version] of Object.entries(snapshot.parts[index]!.versions)) {
      const found = version === null ? undefined : byName.get(`${selector.table} ${text}`);
      if (found !== undefined) versions.get(name)!.push(found);
    }
  return { snapshot, versions };
}

/** Takes the leases and keeps them as long as the attempt computes; publishing ends them, or else their time. */
async function takeLeases(context: TaskContext, partitions: readonly PartitionSelector[]): Promise<void> {
  const { ports, run, ended, log } = context;
  await waitForLeases(context, partitions);
  const renewal = setInterval(() => {
    ports.ledger.lease(run.id, partitions, leaseMs).catch((error: unknown) => {
      log.warn('The leases could not be renewed', { found: String(error) });
    });
  }, leaseMs / 5);
  renewal.unref();
  ended.addEventListener('abort', () => clearInterval(renewal), { once: true });
}

/** Asks until it is this run's turn; the run keeps its place in the queue as long as it asks. */
async function waitForLeases(context: TaskContext, partitions: readonly PartitionSelector[]): Promise<void> {
  const { ports, run, signal, log } = context;
  for (let asked = 0; ; asked++) {
    signal.throwIfAborted();
    if (await ports.ledger.lease(run.id, partitions, leaseMs)) return;
    if (asked === 0) log.info('Waiting for a lease on the partitions', { partitions: partitions.length });
    context.beat('waiting for a lease');
    await delay(askAgainMs, undefined, { signal });
  }
}

export function filesOf(versions: readonly PartitionVersion[]): readonly InputFile[] {
  return versions.flatMap(({ partition, files }) => files.map(({ key }) => ({ key, partition })));
}

export function rowsOf(versions: readonly PartitionVersion[]): number {
  return versions.reduce((total, version) => total + version.rows, 0);
}
