import { pc } from '../colours.ts';
import { startRun } from '../../workers/client.ts';
import { temporalUiLink } from '../../workers/temporal-ui.ts';
import type { Cli } from '../cli.ts';
import { dagNamed } from '../definitions.ts';
import { intervalOf, paramsOf } from '../run-arguments.ts';
import { withSession } from '../session.ts';
import { noteShortStack } from './deploy.ts';

export interface TriggerFlags {
  readonly date: string;
  readonly param: readonly string[];
  readonly json?: boolean;
}

/** Starts a run and leaves it to the workers; `ingot run` waits for it. */
export async function dagsTrigger(cli: Cli, dagId: string, flags: TriggerFlags): Promise<void> {
  const dag = await dagNamed(cli, dagId);
  const interval = intervalOf(dag, flags.date);
  const params = paramsOf(dag, flags.param);
  await withSession(cli, { temporal: true }, async (session) => {
    const { client, namespace } = await session.temporal();
    const run = await startRun(client, {
      taskQueue: session.config.taskQueue,
      dagId,
      interval,
      type: 'manual',
      params,
      ...(session.stack === null ? {} : { planHash: dag.hash }),
    });
    const ui = session.config.temporalUi;
    const link = ui === null ? null : temporalUiLink(ui, namespace, run);
    if (flags.json) cli.print(JSON.stringify({ ...run, dagId, interval, link }));
    else {
      cli.print(`${pc.bold(run.workflowId)}  started  run ${run.runId}`);
      if (link !== null) cli.print(link);
    }
    noteShortStack(cli, session, 'runs');
  });
}
