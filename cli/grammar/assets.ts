import type { Command } from 'commander';
import { json, type Action } from './options.ts';

/** `ingot assets …` */
export function addAssets(program: Command, action: Action): void {
  const assets = program
    .command('assets')
    .description('what DAGs wait for: tables, and names that tasks emit');
  assets
    .command('list', { isDefault: true })
    .option(...json)
    .action(action(async () => (await import('../commands/assets.ts')).assetsList));
  assets
    .command('show <asset>')
    .description('who makes it, whom it starts, and how far behind they are')
    .option(...json)
    .action(action(async () => (await import('../commands/assets.ts')).assetsShow));
  assets
    .command('events <asset>')
    .option('--limit <n>', 'newest first', '20')
    .option(...json)
    .action(action(async () => (await import('../commands/assets.ts')).assetsEvents));
  assets
    .command('emit <asset>')
    .description('an event of a named asset, by hand')
    .option('--date <date>', 'the logical date it belongs to (default: now)')
    .option('--key <key>', 'the same key again is no new event')
    .option(...json)
    .action(action(async () => (await import('../commands/assets.ts')).assetsEmit));
}
