import { pc } from '../colours.ts';
import type { RunnableDag } from '../../activities/boundary.ts';
import { nextInterval } from '../../dag/due.ts';
import type { DataInterval } from '../../dag/interval.ts';
import type { DagClock } from '../../ports/schedule-log.ts';
import { loadDefinitions } from '../../workers/definitions.ts';
import { scheduleText } from '../../workers/schedule-differences.ts';
import type { Cli } from '../cli.ts';
import { dagNamed } from '../definitions.ts';
import { instant, short } from '../format.ts';
import { withSession } from '../session.ts';
import { taskTree } from '../task-tree.ts';
import { textTable } from '../text-table.ts';

interface ListedDag {
  readonly paused: boolean;
  /** Whether the schedule in force is the one this code declares. */
  readonly deployed: 'yes' | 'no' | 'changed';
  /** When the next tick starts a run; null while it is paused or not deployed, and by hand. */
  readonly nextRunAt: string | null;
  readonly nextInterval: DataInterval | null;
}

function listed({ hash, plan }: RunnableDag, clock: DagClock | undefined, now: number): ListedDag {
  const paused = clock?.paused ?? false;
  const inForce = clock?.plan ?? null;
  const next = inForce === null || paused ? null : nextInterval(inForce, now);
  const deployed = inForce === null ? 'no' : clock?.planHash === hash ? 'yes' : 'changed';
  return {
    paused,
    deployed: plan.schedule === null && plan.assets === undefined ? 'no' : deployed,
    nextRunAt: next?.end ?? null,
    nextInterval: next,
  };
}

function nextText({ plan }: RunnableDag, { paused, deployed, nextRunAt }: ListedDag): string {
  if (paused) return pc.yellow('paused');
  if (plan.schedule === null && plan.assets === undefined) return '';
  if (deployed === 'no') return 'not deployed';
  if (plan.schedule === null) return deployed === 'changed' ? 'on assets (edited: deploy)' : 'on assets';
  return `${instant(nextRunAt) || 'over'}${deployed === 'changed' ? ' (edited: deploy)' : ''}`;
}

export async function dagsList(cli: Cli, options: { readonly json?: boolean }): Promise<void> {
  const definitions = [...(await loadDefinitions(cli.config().dags)).values()];
  const clocks = await withSession(cli, { temporal: false }, async (session) =>
    (await session.readers()).ledger.clocks(),
  );
  const now = Date.now();
  const states = definitions.map((dag) =>
    listed(
      dag,
      clocks.find((clock) => clock.dagId === dag.id),
      now,
    ),
  );
  if (options.json) {
    const rows = definitions.map(({ id, hash, plan }, index) => ({
      dagId: id,
      planHash: hash,
      description: plan.description,
      schedule: plan.schedule,
      assets: plan.assets ?? null,
      timezone: plan.timezone,
      catchup: plan.catchup,
      maxActiveRuns: plan.maxActiveRuns,
      tasks: plan.tasks.length,
      tags: plan.tags,
      owners: plan.owners,
      ...states[index]!,
    }));
    return cli.print(JSON.stringify(rows));
  }
  const rows = definitions.map((dag, index) => [
    dag.id,
    String(dag.plan.tasks.length),
    scheduleText(dag.plan),
    nextText(dag, states[index]!),
    short(dag.hash),
    dag.plan.description ?? '',
  ]);
  cli.print(textTable(['DAG', 'TASKS', 'SCHEDULE', 'NEXT RUN', 'PLAN', ''], rows, ['left', 'right']));
}

export async function dagsShow(cli: Cli, dagId: string, options: { readonly json?: boolean }): Promise<void> {
  const { plan, hash } = await dagNamed(cli, dagId);
  if (options.json) return cli.print(JSON.stringify({ planHash: hash, plan }));
  cli.print(`${pc.bold(dagId)}  ${scheduleText(plan)}  plan ${hash.slice(0, 12)}`);
  if (plan.description !== null) cli.print(plan.description);
  cli.print('');
  for (const line of taskTree(plan)) cli.print(line);
  const params = Object.entries(plan.params);
  if (params.length === 0) return;
  const rows = params.map(([name, param]) => [
    name,
    param.type,
    param.required ? 'required' : JSON.stringify(param.default),
    param.description ?? '',
  ]);
  cli.print(`\n${textTable(['PARAM', 'TYPE', 'DEFAULT', ''], rows)}`);
}
