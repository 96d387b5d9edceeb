import { pc } from '../colours.ts';
import { loadDefinitions } from '../../workers/definitions.ts';
import { applyDeploy, planDeploy, type ScheduleChange } from '../../workers/deploy.ts';
import type { Difference } from '../../workers/schedule-differences.ts';
import type { Cli } from '../cli.ts';
import { withSession, type Session } from '../session.ts';

export interface DeployFlags {
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const marks: Readonly<Record<ScheduleChange['action'], string>> = {
  create: pc.green('+'),
  update: pc.yellow('~'),
  remove: pc.red('-'),
  orphaned: pc.yellow('?'),
  unchanged: ' ',
};

function differenceText({ field, from, to }: Difference): string {
  return from === null ? `${field}: ${to}` : `${field}: ${from} → ${to ?? 'none'}`;
}

function changeText({ action, dagId, differences, openRuns }: ScheduleChange): string {
  const open = openRuns === 0 ? '' : `; ${openRuns} open ${openRuns === 1 ? 'run goes' : 'runs go'} on`;
  const remedy = action === 'orphaned' ? '; --prune removes it' : '';
  const lines = differences.filter((each) => each.to !== null).map((each) => `    ${differenceText(each)}`);
  return [`${marks[action]} ${pc.bold(dagId)}  ${action}${open}${remedy}`, ...lines].join('\n');
}

/** A schedule ticks as long as its server is up, which this command may be about to stop. */
export function noteShortStack(cli: Cli, session: Session, what: string): void {
  if (session.stack?.owned)
    cli.note(`The stack stops with this command; ${what} go on while \`ingot dev\` runs.`);
}

export async function dagsDeploy(cli: Cli, flags: DeployFlags): Promise<void> {
  const definitions = await loadDefinitions(cli.config().dags);
  await withSession(cli, { temporal: true }, async (session) => {
    const [{ client }, { ledger }] = await Promise.all([session.temporal(), session.readers()]);
    const { taskQueue } = session.config;
    const parts = { client, ledger, definitions, taskQueue, prune: flags.prune === true };
    const changes = await planDeploy(parts);
    const pending = changes.filter((each) => each.action !== 'unchanged' && each.action !== 'orphaned');
    if (!flags.json) for (const change of changes) cli.print(changeText(change));
    if (!flags.dryRun) await applyDeploy(parts, changes);
    if (flags.json) cli.print(JSON.stringify({ applied: !flags.dryRun, changes }));
    else if (pending.length === 0)
      cli.print(
        changes.some((each) => each.action === 'orphaned')
          ? 'Every DAG’s schedule is as declared; --prune removes the others.'
          : 'Every schedule is as declared.',
      );
    else
      cli.print(
        `${flags.dryRun ? 'Would change' : 'Changed'} ${pending.length} of ${changes.length} schedules.`,
      );
    if (!flags.dryRun) noteShortStack(cli, session, 'schedules');
  });
}
