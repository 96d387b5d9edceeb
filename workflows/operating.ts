import { ApplicationFailure, condition, defineUpdate, setHandler } from '@temporalio/workflow';
import { changeProblems } from '../dag/change-problems.ts';
import type { InstanceKey, OperatorChange } from '../dag/reducer.ts';
import type { KnownRun } from './begin-run.ts';
import type { Walk } from './walk.ts';

/** Updates by their names, which are wire format, and the one change each brings. */
const updates = {
  clearTasks: 'tasks_cleared',
  markTask: 'task_marked',
  answerApproval: 'approval_answered',
} as const satisfies Record<string, OperatorChange['type']>;

function refuse(type: string, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true });
}

function check(begun: KnownRun, walk: Walk, change: OperatorChange): void {
  if (walk.progress.outcome !== null)
    throw refuse('RunEnded', `expected an open run; found one that is ${walk.progress.outcome}. Ask again.`);
  const problems = changeProblems(begun.plan, walk.progress, change);
  if (problems.length > 0)
    throw refuse('ChangeRefused', problems.map(({ place, message }) => `${place}: ${message}`).join('\n'));
}

interface Current {
  readonly begun: KnownRun;
  readonly walk: Walk;
}

function checkType(name: string, type: OperatorChange['type'], change: OperatorChange | undefined): void {
  if (change?.type !== type)
    throw refuse('ChangeRefused', `expected a change of type ${type} for ${name}; found ${change?.type}.`);
}

/** A change that comes while an execution takes the run over waits until it has. */
async function changeLater(
  current: () => Current | null,
  change: OperatorChange,
): Promise<readonly InstanceKey[]> {
  await condition(() => current() !== null);
  const { begun, walk } = current()!;
  check(begun, walk, change);
  return walk.change(change);
}

/**
 * Lets operators change the run. What does not fit it is refused before it is recorded anywhere. A run that was `begun` by an
 * earlier execution has changes wait until this one knows it.
 */
export function acceptChanges(current: () => Current | null, { isBegun }: { isBegun: boolean }): void {
  for (const [name, type] of Object.entries(updates))
    setHandler(
      defineUpdate<readonly InstanceKey[], [OperatorChange]>(name),
      (change) => current()?.walk.change(change) ?? changeLater(current, change),
      {
        validator: (change) => {
          const run = current();
          if (run === null && !isBegun)
            throw refuse(
              'RunNotBegun',
              'expected a run that has begun; found one that has not. Wait until it has.',
            );
          checkType(name, type, change);
          if (run !== null) check(run.begun, run.walk, change);
        },
      },
    );
}
