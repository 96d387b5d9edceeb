import { existsSync, writeFileSync } from 'node:fs';
import type { TaskContext } from '../../activities/task-context.ts';
import { openPostgresLedger } from '../../engines/postgres/ledger.ts';
import { compileDefinitions } from '../../workers/definitions.ts';
import { openWorker } from '../../workers/worker.ts';
import { dag, portsWith, quietRuntime } from './parts.ts';

/** A worker in a process of its own, to be killed: `mortal-worker.ts <address> <task queue> <ledger URL> <bundles> <marker file>`. */
const [address, taskQueue, ledgerUrl, cacheFolder, marker] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];

const mortal = dag('mortal', {}, ({ task }) => {
  const before = task('before', (_: undefined, { attemptPrefix }: TaskContext) =>
    attemptPrefix('t').split('/').at(-2)!,
  );
  const during = task(
    'during',
    async (_: undefined, { attemptPrefix }: TaskContext) => {
      if (!existsSync(marker)) {
        writeFileSync(marker, String(process.pid));
        await new Promise<void>(() => {});
      }
      return attemptPrefix('t').split('/').at(-2)!;
    },
    undefined,
    { retries: 0 },
  ).after(before);
  task('after', (places: readonly string[]) => places, [before, during]);
});

/** Fails at first, and when it is cleared hangs once, as the other one. */
const operated = dag('operated', { onFailure: 'hold' }, ({ task }) => {
  const first = task('first', (_: undefined, { attemptPrefix }: TaskContext) => attemptPrefix('t'));
  const broken = task(
    'broken',
    async (_: undefined, { attempt }: TaskContext) => {
      if (attempt === 1) throw new Error('broken');
      if (!existsSync(marker)) {
        writeFileSync(marker, String(process.pid));
        await new Promise<void>(() => {});
      }
      return attempt;
    },
    undefined,
    { retries: 0 },
  ).after(first);
  task('after', (attempt: number) => attempt, broken);
});

quietRuntime();
const worker = await openWorker({
  connection: { address },
  namespace: 'default',
  taskQueue,
  definitions: compileDefinitions([mortal, operated]),
  ports: portsWith(await openPostgresLedger(ledgerUrl)),
  build: 'mortal',
  cacheFolder,
});
process.once('SIGTERM', () => worker.shutdown());
await worker.run();
process.exit(0);
