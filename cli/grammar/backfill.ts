import type { Command } from 'commander';
import { json, skipUnchanged, type Action } from './options.ts';

/** `ingot backfill …` */
export function addBackfill(program: Command, action: Action): void {
  const backfill = program.command('backfill').description('runs for the intervals of a date range');
  backfill
    .command('create <dag>')
    .description('run a DAG for every interval that starts within a date range')
    .requiredOption('--from <date>', 'first logical date, YYYY-MM-DD or an RFC 3339 instant')
    .requiredOption('--to <date>', 'last one, included')
    .option('--reprocess <policy>', 'intervals to run again: none, failed or completed', 'none')
    .option('--max-active-runs <n>', 'runs at a time, whatever the DAG’s own limit (default: 10)')
    .option('--backwards', 'newest interval first')
    .option('--params <json>', 'parameters of every run, as a JSON object')
    .option(...skipUnchanged)
    .option('--dry-run', 'say what would happen to each interval, and why')
    .option('--detach', 'do not follow it')
    .option(...json)
    .action(action(async () => (await import('../commands/backfill-create.ts')).backfillCreate));
  backfill
    .command('list', { isDefault: true })
    .option('--dag <dag>')
    .option('--open', 'only those that have not ended')
    .option('--limit <n>', 'newest first', '30')
    .option(...json)
    .action(action(async () => (await import('../commands/backfill.ts')).backfillList));
  backfill
    .command('show <backfill>')
    .description('by its id, its workflow id or its DAG (the latest); follows one that is under way')
    .option(...json)
    .action(action(async () => (await import('../commands/backfill.ts')).backfillShow));
  backfill
    .command('pause <backfill>')
    .description('start no new run; those under way go on')
    .option(...json)
    .action(action(async () => (await import('../commands/backfill.ts')).backfillPause));
  backfill
    .command('resume <backfill>')
    .option(...json)
    .action(action(async () => (await import('../commands/backfill.ts')).backfillResume));
  backfill
    .command('cancel <backfill>')
    .description('end it, and its runs')
    .option(...json)
    .action(action(async () => (await import('../commands/backfill.ts')).backfillCancel));
}
