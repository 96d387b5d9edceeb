import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { TaskContext } from '../../activities/task-context.ts';
import { openFilesystemObjectStore } from '../../engines/filesystem/object-store.ts';
import { allNotifiers, webhookNotifier } from '../../engines/notify/notifier.ts';
import { dag, portsWith } from './parts.ts';
import { givenPlace, workHere } from './worker-process.ts';

/** A worker to be killed: `alerting-worker.ts <address> <task queue> <ledger URL> <bundles> <marker file> <lake> <webhook>`. */
const { place, rest } = givenPlace();
const [marker, lake, url] = rest as [string, string, string];

/** Talks, waits in its first try until it is killed, and fails in the second. */
const doomed = dag('doomed', { alerts: { onFailure: true } }, ({ task }) => {
  task(
    'talk',
    async (_: undefined, { log }: TaskContext) => {
      const first = !existsSync(marker);
      log.info(first ? 'first life' : 'second life');
      if (first) {
        await delay(3000);
        writeFileSync(marker, String(process.pid));
        await new Promise<void>(() => {});
      }
      throw new Error('in vain');
    },
    undefined,
    { retries: 0 },
  );
});

const objects = await openFilesystemObjectStore(lake);
const notifier = allNotifiers({ webhook: webhookNotifier({ url, timeoutMs: 1000 }) });
await workHere(place, [doomed], (ledger) => portsWith(ledger, { objects, notifier }), {
  alertRetry: { initialMs: 200, maxMs: 500, forMs: 3_600_000 },
});
