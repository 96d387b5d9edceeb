import type { Command } from 'commander';
import { json, params, type Action } from './options.ts';

/** `ingot dags …` */
export function addDags(program: Command, action: Action): void {
  const dags = program.command('dags').description('the DAGs this code defines');
  dags
    .command('list', { isDefault: true })
    .option(...json)
    .action(action(async () => (await import('../commands/dags.ts')).dagsList));
  dags
    .command('show <dag>')
    .description('its graph, schedule and parameters')
    .option(...json)
    .action(action(async () => (await import('../commands/dags.ts')).dagsShow));

  dags
    .command('deploy')
    .description('bring the schedules in Temporal in line with the DAGs')
    .option('--prune', 'remove schedules of DAGs that are not defined any more')
    .option('--dry-run', 'show what would change')
    .option(...json)
    .action(action(async () => (await import('../commands/deploy.ts')).dagsDeploy));
  dags
    .command('pause <dag>')
    .description('let ticks of its schedule start nothing; survives deploys')
    .option(...json)
    .action(action(async () => (await import('../commands/pause.ts')).dagsPause));
  dags
    .command('unpause <dag>')
    .description('let its schedule start runs again; with catchup, those it missed')
    .option(...json)
    .action(action(async () => (await import('../commands/pause.ts')).dagsUnpause));
  dags
    .command('trigger <dag>')
    .description('start a run and return at once (`ingot run` waits for it)')
    .requiredOption('--date <date>', 'logical date, YYYY-MM-DD or an RFC 3339 instant')
    .option(...params)
    .option(...json)
    .action(action(async () => (await import('../commands/trigger.ts')).dagsTrigger));
}
