import { pc } from './colours.ts';
import type { Ledger, RunRecord } from '../ports/ledger.ts';
import { temporalIsGiven } from '../workers/config/temporal-given.ts';
import { unpolledTasks, type UnpolledTasks } from '../workers/task-queues.ts';
import type { Cli } from './cli.ts';
import type { Session } from './session.ts';

/** Tasks of an open run that wait for a worker to poll their queue; none where no Temporal server runs. */
export async function unpolledOf(
  cli: Cli,
  session: Session,
  ledger: Ledger,
  run: RunRecord,
): Promise<readonly UnpolledTasks[]> {
  const { env, config } = session;
  if (run.state !== 'running' || !temporalIsGiven(env, config.temporalProfile)) return [];
  try {
    const { client } = await session.temporal();
    return await unpolledTasks(client, ledger, run);
  } catch (error) {
    cli.note(`Temporal could not be asked what the run waits for: ${(error as Error).message}`);
    return [];
  }
}

export function unpolledText({ taskIds, queue, taskQueue }: UnpolledTasks): string {
  const tasks = taskIds.length > 5 ? [...taskIds.slice(0, 5), `${taskIds.length - 5} more`] : taskIds;
  return `${pc.yellow('waits')} for a worker: no worker polls queue ${queue} (task queue ${taskQueue}), which ${tasks.join(', ')} ${tasks.length === 1 ? 'needs' : 'need'}. Start one with \`ingot worker --queues ${queue}\`.`;
}
