import type { Client } from '@temporalio/client';
import type { Ledger } from '../ports/ledger.ts';
import { runResult, watchRun, type RunHandle, type RunResult } from '../workers/client.ts';
import type { Cli } from './cli.ts';
import { rowsByTask, runDisplay } from './run-view.ts';

/** Shows a run until it has ended. An interrupt leaves the run to whoever runs the stack. */
export async function followRun(
  cli: Cli,
  client: Client,
  ledger: Ledger,
  run: RunHandle,
  title: string,
): Promise<RunResult> {
  const display = runDisplay(title, cli.note);
  try {
    for await (const view of watchRun(client, run, { signal: cli.signal, everyMs: 150 })) {
      const publications = await ledger.history({ runId: run.runId, limit: 1000 }).catch(() => []);
      display.show(view, rowsByTask(publications));
    }
  } finally {
    display.end();
  }
  return runResult(client, run);
}
