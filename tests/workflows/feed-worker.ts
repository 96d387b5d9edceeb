import { existsSync, writeFileSync } from 'node:fs';
import { dag, portsWith } from './parts.ts';
import { givenPlace, workHere } from './worker-process.ts';

/**
 * A worker in a process of its own that dies once, at the moment it has given events to a run and before anybody hears of it:
 * `feed-worker.ts <address> <task queue> <ledger URL> <bundles> <marker file> <dag>`.
 */
const { place, rest } = givenPlace();
const [marker, dagId] = rest as [string, string];

const eater = dag(dagId, { schedule: { assets: `${dagId}.a` } }, ({ task }) => {
  task('eat', async (_: undefined, context) =>
    (await context.triggeringEvents()).map(({ position }) => position),
  );
});

await workHere(place, [eater], (ledger) =>
  portsWith({
    ...ledger,
    takeEvents: async (...given) => {
      const taken = await ledger.takeEvents(...given);
      if (existsSync(marker)) return taken;
      writeFileSync(marker, JSON.stringify(taken));
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => {});
    },
  }),
);
