import type { RunnableDag } from '../activities/boundary.ts';
import type { DataInterval } from '../dag/interval.ts';
import type { JsonObject } from '../dag/json.ts';
import { startRun, type RunHandle, type RunResult } from '../workers/client.ts';
import { temporalUiLink } from '../workers/temporal-ui.ts';
import { openRun } from '../workers/open-run.ts';
import type { Cli } from './cli.ts';
import { followRun } from './follow-run.ts';
import type { Session } from './session.ts';

export interface FinishedRun extends RunHandle, RunResult {
  /** Its page in the Temporal UI, where there is one. */
  readonly link: string | null;
}

/** Starts a run of an interval and follows it to its end; one without parameters joins the run that is under way. */
export async function runOnce(
  cli: Cli,
  session: Session,
  dag: RunnableDag,
  interval: DataInterval,
  params: JsonObject,
  skipUnchanged = false,
): Promise<FinishedRun> {
  const [{ client, namespace }, { ledger }] = await Promise.all([session.temporal(), session.readers()]);
  const joined =
    Object.keys(params).length === 0 && !skipUnchanged ? await openRun(client, dag.id, interval) : null;
  if (joined !== null) cli.note(`${joined.workflowId} is under way already: following it.`);
  const run =
    joined ??
    (await startRun(client, {
      taskQueue: session.config.taskQueue,
      dagId: dag.id,
      interval,
      type: 'manual',
      params,
      skipUnchanged,
      // The embedded stack's worker is about to be replaced when a definition was edited a moment ago.
      ...(session.stack === null ? {} : { planHash: dag.hash }),
    }));
  try {
    const result = await followRun(
      cli,
      client,
      ledger,
      run,
      `${dag.id} ${interval.logicalDate.replace('T00:00:00Z', '')}`,
    );
    const ui = session.config.temporalUi;
    return { ...run, ...result, link: ui === null ? null : temporalUiLink(ui, namespace, run) };
  } catch (error) {
    if (cli.signal.aborted)
      cli.note(
        `${run.workflowId} goes on when the stack is up again; \`ingot runs cancel ${run.workflowId}\` ends it.`,
      );
    throw error;
  }
}
