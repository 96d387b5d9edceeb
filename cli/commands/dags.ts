import { pc } from '../colours.ts';
import type { Plan } from '../../dag/plan.ts';
import { durationText } from '../../dag/duration.ts';
import { loadDefinitions } from '../../workers/definitions.ts';
import type { Cli } from '../cli.ts';
import { dagNamed } from '../definitions.ts';
import { short } from '../format.ts';
import { taskTree } from '../task-tree.ts';
import { textTable } from '../text-table.ts';

function scheduleText({ schedule, timezone }: Plan): string {
  if (schedule === null) return 'by hand';
  return `${'cron' in schedule ? schedule.cron : `every ${durationText(schedule.everyMs)}`} ${timezone}`;
}

export async function dagsList(cli: Cli, options: { readonly json?: boolean }): Promise<void> {
  const definitions = [...(await loadDefinitions(cli.config().dags)).values()];
  if (options.json) {
    const rows = definitions.map(({ id, hash, plan }) => ({
      dagId: id,
      planHash: hash,
      description: plan.description,
      schedule: plan.schedule,
      timezone: plan.timezone,
      tasks: plan.tasks.length,
      tags: plan.tags,
      owners: plan.owners,
    }));
    return cli.print(JSON.stringify(rows));
  }
  const rows = definitions.map(({ id, hash, plan }) => [
    id,
    String(plan.tasks.length),
    scheduleText(plan),
    short(hash),
    plan.description ?? '',
  ]);
  cli.print(textTable(['DAG', 'TASKS', 'SCHEDULE', 'PLAN', ''], rows, ['left', 'right']));
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
