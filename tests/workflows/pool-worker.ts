import { existsSync, writeFileSync } from 'node:fs';
import { dag } from './parts.ts';
import { givenPlace, workHere } from './worker-process.ts';

/** A worker in a process of its own, to be killed: `pool-worker.ts <address> <task queue> <ledger URL> <bundles> <marker file>`. */
const { place, rest } = givenPlace();
const marker = rest[0]!;

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

await workHere(place, [hangsOnce, patient]);
