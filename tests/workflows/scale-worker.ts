import { dag } from './parts.ts';
import { givenPlace, workHere } from './worker-process.ts';

/** A worker in a process of its own, to be killed while it works on a long map: `scale-worker.ts <address> <task queue> <ledger URL> <bundles>`. */
const { place } = givenPlace();

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

await workHere(place, [mapped]);
