import type { Command } from 'commander';
import { json, type Action } from './options.ts';

/** `ingot lake …` */
export function addLake(program: Command, action: Action): void {
  const lake = program.command('lake').description('tables, their versions, and what was quarantined');
  lake
    .command('tables', { isDefault: true })
    .option(...json)
    .action(action(async () => (await import('../commands/lake.ts')).lakeTables));
  lake
    .command('history <table>')
    .description('who published each version, from what, with which code')
    .option('--partition <partition>', 'such as ingest_date=2026-01-01')
    .option('--limit <n>', 'newest first', '20')
    .option(...json)
    .action(action(async () => (await import('../commands/lake.ts')).lakeHistory));
  lake
    .command('quarantine <pipeline>')
    .description('rows that broke a rule, by reason')
    .option('--date <date>', 'of one date only')
    .option('--sample <n>', 'rows to show', '5')
    .option(...json)
    .action(action(async () => (await import('../commands/quarantine.ts')).lakeQuarantine));
  lake
    .command('sync')
    .description('bring the catalog that readers from outside use in line with the ledger')
    .option('--table <table>', 'of one table only')
    .option('--dry-run', 'say what would be mended')
    .option(...json)
    .action(action(async () => (await import('../commands/lake.ts')).lakeSync));
  lake
    .command('vacuum')
    .description('remove versions and files nobody can need any more')
    .option('--dry-run', 'say what would be removed')
    .option(
      '--older-than-hours <n>',
      'leave younger ones to their readers (default: retention.version_hours)',
    )
    .option(...json)
    .action(action(async () => (await import('../commands/lake.ts')).lakeVacuum));
}
