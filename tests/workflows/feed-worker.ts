import { existsSync, writeFileSync } from 'node:fs';
import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import { compileDefinitions } from '../../workers/definitions.ts';
import { openWorker } from '../../workers/worker.ts';
import { dag, portsWith, quietRuntime } from './parts.ts';

/**
 * A worker in a process of its own that dies once, at the moment it has given events to a run and before anybody hears of it:
 * `feed-worker.ts <address> <task queue> <ledger URL> <bundles> <marker file> <dag>`.
 */
const [address, taskQueue, ledgerUrl, cacheFolder, marker, dagId] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  string,
];

const eater = dag(dagId, { schedule: { assets: `${dagId}.a` } }, ({ task }) => {
  task('eat', async (_: undefined, context) =>
    (await context.triggeringEvents()).map(({ position }) => position),
  );
});

quietRuntime();
const ledger = await openPostgresLedger(ledgerUrl);
const worker = await openWorker({
  connection: { address },
  namespace: 'default',
  taskQueue,
  definitions: compileDefinitions([eater]),
  ports: portsWith({
    ...ledger,
    takeEvents: async (...given) => {
      const taken = await ledger.takeEvents(...given);
      if (existsSync(marker)) return taken;
      writeFileSync(marker, JSON.stringify(taken));
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => {});
    },
  }),
  build: 'mortal',
  cacheFolder,
});
await worker.run();
