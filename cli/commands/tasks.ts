import type { Command } from 'commander';
import type { Cli } from '../cli.ts';

/** Connects a command to its handler, whose module is loaded only when the command is given. */
export type Action = <Given extends unknown[]>(
  load: () => Promise<(cli: Cli, ...given: Given) => Promise<void>>,
) => (...given: unknown[]) => Promise<void>;

/** `ingot tasks …` */
export function addTaskCommands(program: Command, action: Action): void {
  const tasks = program.command('tasks').description('the tasks of a run');
  tasks
    .command('logs <run> <task>')
    .description('what an attempt logged; the latest unless told')
    .option('--attempt <n>')
    .option('--map-index <i>', 'the instance of a mapped task')
    .option('--follow', 'go on until the attempt has ended')
    .option('--json', 'print JSON lines')
    .action(action(async () => (await import('./task-logs.ts')).taskLogs));
}
