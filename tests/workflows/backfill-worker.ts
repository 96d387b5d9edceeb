import { dag } from './parts.ts';
import { workHere } from './worker-process.ts';

/** A worker in a process of its own, to be killed: `backfill-worker.ts <address> <ledger URL> <bundles>`. */
const [address, ledgerUrl, cacheFolder] = process.argv.slice(2) as [string, string, string];

const days = dag('days', { schedule: '@daily' }, ({ task }) => {
  const first = task('first', () => new Promise((resolve) => setTimeout(resolve, 30, 1)));
  task('second', () => 2).after(first);
});

await workHere({ address, taskQueue: 'days', ledgerUrl, cacheFolder }, [days]);
