import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import { compileDefinitions } from '../../workers/definitions.ts';
import { openWorker } from '../../workers/worker.ts';
import { dag, portsWith, quietRuntime } from './parts.ts';

/** A worker in a process of its own, to be killed while it works on a long map: `scale-worker.ts <address> <task queue> <ledger URL> <bundles>`. */
const [address, taskQueue, ledgerUrl, cacheFolder] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
];

const items = 400;

const mapped = dag('mapped', {}, ({ task, map }) => {
  const list = task('list', () => Array.from({ length: items }, (_, n) => ({ key: `part-${n}.csv`, n })));
  const doubled = map(
    'double',
    list,
    ({ n }: { n: number }) => 2 * n,
    (item) => ({ n: item.n }),
    { heartbeat: '2s' },
  );
  task('sum', (all: readonly number[]) => all.reduce((a, b) => a + b, 0), doubled);
});

quietRuntime();
const worker = await openWorker({
  connection: { address },
  namespace: 'default',
  taskQueue,
  definitions: compileDefinitions([mapped]),
  ports: portsWith(await openPostgresLedger(ledgerUrl)),
  build: 'scale',
  cacheFolder,
});
process.once('SIGTERM', () => worker.shutdown());
await worker.run();
process.exit(0);
