import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import { compileDefinitions } from '../../workers/definitions.ts';
import { openWorker } from '../../workers/worker.ts';
import { dag, portsWith, quietRuntime } from './parts.ts';

/** A worker in a process of its own, to be killed: `backfill-worker.ts <address> <ledger URL> <bundles>`. */
const [address, ledgerUrl, cacheFolder] = process.argv.slice(2) as [string, string, string];

const days = dag('days', { schedule: '@daily' }, ({ task }) => {
  const first = task('first', () => new Promise((resolve) => setTimeout(resolve, 30, 1)));
  task('second', () => 2).after(first);
});

quietRuntime();
const worker = await openWorker({
  connection: { address },
  namespace: 'default',
  taskQueue: 'days',
  definitions: compileDefinitions([days]),
  ports: portsWith(await openPostgresLedger(ledgerUrl)),
  build: 'mortal',
  cacheFolder,
});
process.once('SIGTERM', () => worker.shutdown());
await worker.run();
process.exit(0);
