import { pc } from '../colours.ts';
import { loadDefinitions } from '../../workers/definitions.ts';
import { applyFeeds, planFeeds, type FeedChange } from '../../workers/asset-feeds.ts';
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

function feedText({ action, dagId, from, to, unknown }: FeedChange): string {
  const waits = from === to || from === null || to === null ? (to ?? from) : `${from} → ${to}`;
  const remedy = action === 'orphaned' ? '; --prune removes it' : '';
  const warnings = unknown.map(
    (asset) =>
      `    ${pc.yellow('warning')}: no task of this code makes ${asset}; only \`ingot assets emit\` or another project can`,
  );
  return [
    `${marks[action]} ${pc.bold(dagId)}  on assets  ${action}${remedy}`,
    `    assets: ${waits ?? 'none'}`,
    ...warnings,
  ].join('\n');
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
    const feeds = await planFeeds(parts);
    const pending = [...changes, ...feeds].filter(
      (each) => each.action !== 'unchanged' && each.action !== 'orphaned',
    );
    if (!flags.json) for (const change of changes) cli.print(changeText(change));
    if (!flags.json) for (const feed of feeds) cli.print(feedText(feed));
    if (!flags.dryRun) {
      await applyDeploy(parts, changes);
      await applyFeeds(parts, feeds);
    }
    if (flags.json) cli.print(JSON.stringify({ applied: !flags.dryRun, changes, feeds }));
    else if (pending.length === 0)
      cli.print(
        [...changes, ...feeds].some((each) => each.action === 'orphaned')
          ? 'Every DAG’s schedule is as declared; --prune removes the others.'
          : 'Every schedule is as declared.',
      );
    else
      cli.print(
        `${flags.dryRun ? 'Would change' : 'Changed'} ${pending.length} of ${changes.length + feeds.length} schedules.`,
      );
    if (!flags.dryRun) noteShortStack(cli, session, 'schedules');
  });
}
