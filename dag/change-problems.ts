import { affectedBelow, clearedBy, instanceProblem, unended } from './clearing.ts';
import type { Json } from './json.ts';
import type { Plan } from './plan.ts';
import { planIndex } from './plan-index.ts';
import { problem, shown, type Problem } from './problems.ts';
import { isChosen } from './rule-checks.ts';
import type { OperatorChange, RunProgress, TaskInstance } from './run-progress.ts';

type Standing = Pick<RunProgress, 'instances' | 'cancelRequested'>;
type Marking = Extract<OperatorChange, { type: 'task_marked' }>;

/** Everything that keeps a change from being made to a run that stands so; empty when it can be made. */
export function changeProblems(plan: Plan, standing: Standing, change: OperatorChange): readonly Problem[] {
  if (standing.cancelRequested)
    return [
      problem('the run', 'a run that goes on', 'one that is being cancelled', 'Ask again once it has ended.'),
    ];
  if (change.type === 'tasks_cleared') return clearedBy(plan, standing, change).problems;
  const unknown = instanceProblem(plan, standing.instances, change.key);
  if (unknown !== null) return [unknown];
  const instance = standing.instances[change.key]!;
  const whole = standing.instances[instance.taskId]!;
  if (instance.mapIndex !== null && whole.state === 'none')
    return [
      problem(
        `task ${change.key}`,
        'an instance of a mapped task that has begun',
        `that ${whole.key} has not`,
        `Mark ${whole.key}, or wait until it has.`,
      ),
    ];
  const found =
    change.type === 'task_marked' ? markProblem(plan, instance, change) : answerProblem(plan, instance);
  if (found !== null || change.type !== 'task_marked') return found === null ? [] : [found];
  const { instances } = standing;
  return unended(instances, affectedBelow(plan, instances, new Set([instance.taskId]), false));
}

function answerProblem(plan: Plan, { key, taskId, state, waitingFor }: TaskInstance): Problem | null {
  if (waitingFor?.reason === 'approval') return null;
  const { kind } = planIndex(plan).tasks.get(taskId)!;
  return kind === 'approval'
    ? problem(
        `task ${key}`,
        'an approval that waits for an answer',
        state,
        'Only a waiting one can be answered.',
      )
    : problem(`task ${key}`, 'an approval', `a ${kind}`, '`ingot runs show` names the waiting approvals.');
}

function markProblem(
  plan: Plan,
  { key, taskId, state }: TaskInstance,
  { as, output }: Marking,
): Problem | null {
  if (state === as)
    return problem(`task ${key}`, `a task that is not ${as}`, state, 'Nothing is to be done.');
  const task = planIndex(plan).tasks.get(taskId)!;
  if (as === 'success' && task.kind === 'branch') return choiceProblem(plan, key, output);
  if (as === 'success' && task.kind === 'short_circuit' && typeof output !== 'boolean')
    return problem(
      `task ${key}`,
      'the output of a short circuit, true or false',
      shown(output),
      'Give --output true to go on below it, or --output false to skip that.',
    );
  return null;
}

/** Without an output a branch would follow nothing, which nobody means by calling it a success. */
function choiceProblem(plan: Plan, key: string, output: Json): Problem | null {
  const direct = planIndex(plan).downstream.get(key) ?? [];
  const choices: readonly Json[] = Array.isArray(output) ? output : [output];
  const fits = choices.every(
    (choice) => typeof choice === 'string' && direct.some((id) => isChosen(id, choice)),
  );
  if (fits && choices.length > 0) return null;
  return problem(
    `task ${key}`,
    `the branches to follow, of ${direct.join(', ')}`,
    shown(output),
    `Give --output '"${direct[0] ?? 'id'}"'.`,
  );
}
