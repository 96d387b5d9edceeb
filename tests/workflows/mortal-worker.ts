import { existsSync, writeFileSync } from 'node:fs';
import type { TaskContext } from '../../activities/task-context.ts';
import { dag } from './parts.ts';
import { givenPlace, workHere } from './worker-process.ts';

/** A worker in a process of its own, to be killed: `mortal-worker.ts <address> <task queue> <ledger URL> <bundles> <marker file>`. */
const { place, rest } = givenPlace();
const marker = rest[0]!;

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

await workHere(place, [mortal, operated]);
