import { existsSync, writeFileSync } from 'node:fs';
import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import { compileDefinitions } from '../../workers/definitions.ts';
import { openWorker } from '../../workers/worker.ts';
import { dag, portsWith, quietRuntime } from './parts.ts';

/** A worker in a process of its own, to be killed: `pool-worker.ts <address> <task queue> <ledger URL> <bundles> <marker file>`. */
const [address, taskQueue, ledgerUrl, cacheFolder, marker] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];

/** Hangs until its worker is killed, the first time it is attempted. */
const hangsOnce = dag('hangs-once', {}, ({ task }) => {
  task(
    'hold',
    async () => {
      if (existsSync(marker)) return;
      writeFileSync(marker, '');
      await new Promise<void>(() => {});
    },
    undefined,
    { pool: 'one', retries: 0 },
  );
});
const patient = dag('pool_patient', {}, ({ task }) => void task('work', () => 1, undefined, { pool: 'one' }));

quietRuntime();
const worker = await openWorker({
  connection: { address },
  namespace: 'default',
  taskQueue,
  definitions: compileDefinitions([hangsOnce, patient]),
  ports: portsWith(await openPostgresLedger(ledgerUrl)),
  build: 'mortal',
  cacheFolder,
});
process.once('SIGTERM', () => worker.shutdown());
await worker.run();
process.exit(0);
