import type { Command } from 'commander';
import { json, repeated, type Action } from './options.ts';

/** `ingot tasks …` */
export function addTasks(program: Command, action: Action): void {
  const tasks = program.command('tasks').description('the tasks of a run');
  tasks
    .command('logs <run> <task>')
    .description('what an attempt logged; the latest unless told')
    .option('--attempt <n>')
    .option('--map-index <i>', 'the instance of a mapped task')
    .option('--follow', 'go on until the attempt has ended')
    .option('--json', 'print JSON lines')
    .action(action(async () => (await import('../commands/task-logs.ts')).taskLogs));
  tasks
    .command('clear <run>')
    .description('run tasks again: what failed, or those named; earlier successes are carried over')
    .option(
      '--task <task>',
      'a task, or one instance of a mapped task, such as load[3]; may be repeated',
      repeated,
      [],
    )
    .option('--downstream', 'also everything that depends on them')
    .option('--upstream', 'also everything they depend on')
    .option('--only-failed', 'of all these only what failed or could not run')
    .option('--dry-run', 'say what would happen to each task')
    .option(...json)
    .action(action(async () => (await import('../commands/task-changes.ts')).tasksClear));
  tasks
    .command('mark <state> <run> <task>')
    .description('set a task to success or failed, and go on from there')
    .option('--output <json>', 'what tasks downstream find as its output, with success')
    .option('--dry-run', 'say what would happen to each task')
    .option(...json)
    .action(action(async () => (await import('../commands/task-changes.ts')).tasksMark));
  tasks
    .command('approve <run> <task>')
    .description('let a run go on that waits for an approval')
    .option('--note <text>', 'kept with the answer')
    .option(...json)
    .action(action(async () => (await import('../commands/task-changes.ts')).tasksApprove));
  tasks
    .command('reject <run> <task>')
    .description('fail a waiting approval, or skip it where the DAG says so')
    .option('--note <text>', 'kept with the answer')
    .option(...json)
    .action(action(async () => (await import('../commands/task-changes.ts')).tasksReject));
}
