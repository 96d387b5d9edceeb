import { setTimeout as delay } from 'node:timers/promises';
import { isGrpcServiceError, ServiceError, type Client } from '@temporalio/client';
import type { Ledger } from '../ports/ledger.ts';
import { runResult, watchRun, type RunHandle, type RunResult } from '../workers/client.ts';
import { unpolledTasks } from '../workers/task-queues.ts';
import type { Cli } from './cli.ts';
import { rowsByTask, runDisplay, type RunDisplay } from './run-view.ts';
import { unpolledText } from './unpolled.ts';

/** A Temporal server that died is started again by the stack; the run knows nothing of it. */
const outageMs = 90_000;
/** A task may wait for a worker that polls its queue. */
const askEveryMs = 5000;
const unavailable = new Set([1, 4, 14]);

function isOutage(error: unknown): boolean {
  return (
    error instanceof ServiceError && isGrpcServiceError(error.cause) && unavailable.has(error.cause.code)
  );
}

async function showUntilEnd(
  cli: Cli,
  client: Client,
  ledger: Ledger,
  run: RunHandle,
  display: RunDisplay,
): Promise<RunResult> {
  let askedAt = Date.now();
  let remarks: readonly string[] = [];
  for await (const view of watchRun(client, run, { signal: cli.signal, everyMs: 150 })) {
    const publications = await ledger.history({ runId: run.runId, limit: 1000 }).catch(() => []);
    if (view.state === 'running' && Date.now() - askedAt > askEveryMs) {
      remarks = (await unpolledTasks(client, ledger, run)).map(unpolledText);
      askedAt = Date.now();
    }
    display.show(view, rowsByTask(publications), remarks);
  }
  return runResult(client, run);
}

/** Shows a run until it has ended, over outages of the server. An interrupt leaves the run to whoever runs the stack. */
export async function followRun(
  cli: Cli,
  client: Client,
  ledger: Ledger,
  run: RunHandle,
  title: string,
): Promise<RunResult> {
  const display = runDisplay(title, cli.note);
  let lastHeardAt = Date.now();
  try {
    for (;;) {
      try {
        return await showUntilEnd(cli, client, ledger, run, {
          ...display,
          show: (...seen) => {
            lastHeardAt = Date.now();
            display.show(...seen);
          },
        });
      } catch (error) {
        if (cli.signal.aborted || !isOutage(error) || Date.now() - lastHeardAt > outageMs) throw error;
        await delay(300);
      }
    }
  } finally {
    display.end();
  }
}
