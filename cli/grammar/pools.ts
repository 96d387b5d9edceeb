import type { Command } from 'commander';
import { json, type Action } from './options.ts';

/** `ingot pools …` */
export function addPools(program: Command, action: Action): void {
  const pools = program.command('pools').description('slots that tasks share across runs and DAGs');
  pools
    .command('list', { isDefault: true })
    .option(...json)
    .action(action(async () => (await import('../commands/pools.ts')).poolsList));
  pools
    .command('show <name>')
    .description('who holds its slots, and who waits, in order')
    .option(...json)
    .action(action(async () => (await import('../commands/pools.ts')).poolsShow));
  pools
    .command('set <name> <slots>')
    .description('create a pool, or change its size; 0 closes it')
    .option('--description <text>')
    .option(...json)
    .action(action(async () => (await import('../commands/pools.ts')).poolsSet));
  pools
    .command('delete <name>')
    .description('delete a pool that nobody holds or waits for')
    .option(...json)
    .action(action(async () => (await import('../commands/pools.ts')).poolsDelete));
}
