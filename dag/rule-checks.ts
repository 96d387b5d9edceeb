import type { TaskDeclaration } from './declaration.ts';
import type { Upstreams } from './graph.ts';
import type { PlanTask, TriggerRule } from './plan.ts';
import { triggerRules } from './plan.ts';
import type { Problem } from './problems.ts';
import { problem, shown } from './problems.ts';

/** Rules that need something of an upstream task, so that without one they could never be met. */
const needUpstream: ReadonlySet<TriggerRule> = new Set([
  'all_failed',
  'all_skipped',
  'all_done_min_one_success',
  'one_failed',
  'one_success',
  'one_done',
  'none_failed_min_one_success',
]);
/** Rules under which no upstream task has an output when the task starts. */
const withoutOutputs: ReadonlySet<TriggerRule> = new Set(['all_failed', 'all_skipped', 'always']);

/** Trigger rules that cannot work where they stand. `referred` are the tasks whose output the task takes. */
export function checkTriggerRule(
  place: string,
  task: PlanTask,
  referred: ReadonlySet<string>,
  problems: Problem[],
): void {
  const { triggerRule, upstream } = task;
  if (!triggerRules.includes(triggerRule)) {
    problems.push(
      problem(
        place,
        `triggerRule to be one of ${triggerRules.join(', ')}`,
        shown(triggerRule),
        'Correct the option.',
      ),
    );
    return;
  }
  if (upstream.length === 0 && needUpstream.has(triggerRule))
    problems.push(
      problem(
        place,
        `${triggerRule} on a task with upstream tasks`,
        'none',
        'It could never start: leave the rule out, or add .after(...).',
      ),
    );
  if (referred.size > 0 && withoutOutputs.has(triggerRule))
    problems.push(
      problem(
        place,
        `${triggerRule} on a task that takes no output of an upstream task`,
        `the output of ${[...referred].sort().join(', ')}`,
        triggerRule === 'always'
          ? 'It starts with the run, before there is any output: use .after(...) and another rule.'
          : 'When the rule is met there is none: use .after(...).',
      ),
    );
  if (task.handlesFailure === true && !['one_failed', 'all_failed'].includes(triggerRule))
    problems.push(
      problem(
        place,
        'handlesFailure with triggerRule one_failed or all_failed',
        triggerRule,
        'Only a task that reacts to a failure can make up for it.',
      ),
    );
}

/** Every choice of a branch must be a direct downstream task, or a group that holds one. */
export function checkChoices(
  place: string,
  task: TaskDeclaration<never>,
  edges: Upstreams,
  problems: Problem[],
): void {
  if (task.choices === null) return;
  const direct = [...edges]
    .filter(([, upstream]) => upstream.has(task.id))
    .map(([id]) => id)
    .sort();
  if (task.choices.length === 0)
    problems.push(
      problem(
        place,
        'at least one choice',
        'none',
        `Directly downstream: ${direct.join(', ') || 'nothing'}.`,
      ),
    );
  for (const choice of task.choices.filter((each) => !direct.some((id) => isChosen(id, each))))
    problems.push(
      problem(
        place,
        'choices that are directly downstream',
        shown(choice),
        `Directly downstream: ${direct.join(', ') || 'nothing'}.`,
      ),
    );
}

/** True when a branch's `choice` means the task `id`: by its id, or by that of a group around it. */
export function isChosen(id: string, choice: string): boolean {
  return id === choice || id.startsWith(`${choice}.`);
}
