import type { Command } from 'commander';
import { json, type Action } from './options.ts';

/** `ingot runs …` */
export function addRuns(program: Command, action: Action): void {
  const runs = program.command('runs').description('runs that were and are');
  runs
    .command('list', { isDefault: true })
    .option('--dag <dag>')
    .option('--state <state>', 'queued, running, held, success, failed or cancelled')
    .option('--limit <n>', 'newest first', '30')
    .option(...json)
    .action(action(async () => (await import('../commands/runs-list.ts')).runsList));
  runs
    .command('show <run>')
    .description('a run by its id or its workflow id')
    .option(...json)
    .action(action(async () => (await import('../commands/runs.ts')).runsShow));
  runs
    .command('explain <run> [task]')
    .description('why a run, or a task of it, is not running, or how it ended')
    .option(...json)
    .action(action(async () => (await import('../commands/explain.ts')).runsExplain));
  runs
    .command('cancel <run>')
    .option(...json)
    .action(action(async () => (await import('../commands/runs.ts')).runsCancel));
}
