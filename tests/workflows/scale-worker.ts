import { dag } from './parts.ts';
import { givenPlace, workHere } from './worker-process.ts';

/** A worker in a process of its own, to be killed while it works on a large run: `scale-worker.ts <address> <task queue> <ledger URL> <bundles> <items> <tasks>`. */
const { place, rest } = givenPlace();
const [items, tasks] = rest.map(Number) as [number, number];

const mapped = dag('mapped', {}, ({ task, map }) => {
  const list = task('list', () => Array.from({ length: items }, (_, n) => ({ key: `part-${n}.csv`, n })));
  const doubled = map(
    'double',
    list,
    ({ n }: { n: number }) => 2 * n,
    (item) => ({ n: item.n }),
    { heartbeat: '2s', maxMapLength: items },
  );
  task('sum', (all: readonly number[]) => all.reduce((a, b) => a + b, 0), doubled);
});

const width = 40;
const layered = dag('layered', {}, ({ task }) => {
  let above: ReturnType<typeof task<undefined, null>>[] = [];
  for (let from = 0; from < tasks; from += width)
    above = Array.from({ length: width }, (_, n) => {
      const made = task(`t${from + n}`, () => null, undefined, { heartbeat: '2s' });
      return from === 0 ? made : made.after(above[n]!, above[(n + 1) % width]!);
    });
});

await workHere(place, [mapped, layered]);
