import type { Json } from '../../dag/json.ts';
import { changeRun, type ChangeFlags } from '../change-run.ts';
import { UsageError, type Cli } from '../cli.ts';
import { operator } from '../operator.ts';

export interface ClearFlags extends ChangeFlags {
  readonly task: readonly string[];
  readonly downstream?: boolean;
  readonly upstream?: boolean;
  readonly onlyFailed?: boolean;
}

export function tasksClear(cli: Cli, run: string, flags: ClearFlags): Promise<void> {
  const { task: tasks, downstream = false, upstream = false, onlyFailed = false } = flags;
  const change = { type: 'tasks_cleared', by: operator(), tasks, downstream, upstream, onlyFailed } as const;
  return changeRun(cli, run, change, flags, 'was cleared');
}

export interface MarkFlags extends ChangeFlags {
  readonly output?: string;
}

function outputOf(text: string | undefined): Json {
  if (text === undefined) return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new UsageError(`expected --output as JSON, such as '{"rows": 3}' or '"text"'; found ${text}.`);
  }
}

export async function tasksMark(
  cli: Cli,
  as: string,
  run: string,
  task: string,
  flags: MarkFlags,
): Promise<void> {
  if (as !== 'success' && as !== 'failed')
    throw new UsageError(`expected \`tasks mark success\` or \`tasks mark failed\`; found ${as}.`);
  if (as === 'failed' && flags.output !== undefined)
    throw new UsageError('expected --output with `tasks mark success` only; found it with failed.');
  const change = {
    type: 'task_marked',
    by: operator(),
    key: task,
    as,
    output: outputOf(flags.output),
  } as const;
  await changeRun(cli, run, change, flags, `has ${task} marked ${as}`);
}

export interface AnswerFlags {
  readonly note?: string;
  readonly json?: boolean;
}

function answer(
  cli: Cli,
  run: string,
  task: string,
  { note, ...flags }: AnswerFlags,
  given: 'approved' | 'rejected',
): Promise<void> {
  const by = operator();
  const change = { type: 'approval_answered', by, key: task, answer: given, note: note ?? null } as const;
  return changeRun(cli, run, change, flags, `has ${task} ${given} by ${by}`);
}

export function tasksApprove(cli: Cli, run: string, task: string, flags: AnswerFlags): Promise<void> {
  return answer(cli, run, task, flags, 'approved');
}

export function tasksReject(cli: Cli, run: string, task: string, flags: AnswerFlags): Promise<void> {
  return answer(cli, run, task, flags, 'rejected');
}
