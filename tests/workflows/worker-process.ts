import type { Ports, TaskContext } from '../../activities/task-context.ts';
import type { DagDefinition } from '../../dag/builder.ts';
import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import type { Ledger } from '../../ports/ledger.ts';
import { compileDefinitions } from '../../workers/definitions.ts';
import { openWorker, type WorkerSettings } from '../../workers/worker.ts';
import { portsWith, quietRuntime } from './parts.ts';

/** Where a worker in a process of its own is to work. */
export interface WorkerPlace {
  readonly address: string;
  readonly taskQueue: string;
  readonly ledgerUrl: string;
  readonly cacheFolder: string;
}

/** Of a script that is started with `<address> <task queue> <ledger URL> <bundles>`, and what it is given after these. */
export function givenPlace(): { readonly place: WorkerPlace; readonly rest: readonly string[] } {
  const [address, taskQueue, ledgerUrl, cacheFolder, ...rest] = process.argv.slice(2);
  if (cacheFolder === undefined) throw new Error('expected <address> <task queue> <ledger URL> <bundles>');
  return {
    place: { address: address!, taskQueue: taskQueue!, ledgerUrl: ledgerUrl!, cacheFolder },
    rest,
  };
}

/** Works until it is killed, or drained by SIGTERM; then the process ends. */
export async function workHere(
  { address, taskQueue, ledgerUrl, cacheFolder }: WorkerPlace,
  dags: readonly DagDefinition<TaskContext>[],
  portsOn: (ledger: Ledger) => Ports = portsWith,
  settings: Pick<WorkerSettings, 'alertRetry'> = {},
): Promise<never> {
  quietRuntime();
  const worker = await openWorker({
    connection: { address },
    namespace: 'default',
    taskQueue,
    definitions: compileDefinitions(dags),
    ports: portsOn(await openPostgresLedger(ledgerUrl)),
    build: 'mortal',
    cacheFolder,
    ...settings,
  });
  process.once('SIGTERM', () => worker.shutdown());
  await worker.run();
  process.exit(0);
}
