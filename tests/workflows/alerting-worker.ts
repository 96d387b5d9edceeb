import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { TaskContext } from '../../activities/task-context.ts';
import { openFilesystemObjectStore } from '../../engines/filesystem/object-store.ts';
import { allNotifiers, webhookNotifier } from '../../engines/notify/notifier.ts';
import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import { compileDefinitions } from '../../workers/definitions.ts';
import { openWorker } from '../../workers/worker.ts';
import { dag, portsWith, quietRuntime } from './parts.ts';

/** A worker to be killed: `alerting-worker.ts <address> <task queue> <ledger URL> <bundles> <marker file> <lake> <webhook>`. */
const [address, taskQueue, ledgerUrl, cacheFolder, marker, lake, url] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];

/** Talks, waits in its first try until it is killed, and fails in the second. */
const doomed = dag('doomed', { alerts: { onFailure: true } }, ({ task }) => {
  task(
    'talk',
    async (_: undefined, { log }: TaskContext) => {
      const first = !existsSync(marker);
      log.info(first ? 'first life' : 'second life');
      if (first) {
        await delay(3000);
        writeFileSync(marker, String(process.pid));
        await new Promise<void>(() => {});
      }
      throw new Error('in vain');
    },
    undefined,
    { retries: 0 },
  );
});

quietRuntime();
const worker = await openWorker({
  connection: { address },
  namespace: 'default',
  taskQueue,
  definitions: compileDefinitions([doomed]),
  ports: portsWith(await openPostgresLedger(ledgerUrl), {
    objects: await openFilesystemObjectStore(lake),
    notifier: allNotifiers({ webhook: webhookNotifier({ url, timeoutMs: 1000 }) }),
  }),
  build: 'doomed',
  cacheFolder,
  alertRetry: { initialMs: 200, maxMs: 500, forMs: 3_600_000 },
});
process.once('SIGTERM', () => worker.shutdown());
await worker.run();
process.exit(0);
