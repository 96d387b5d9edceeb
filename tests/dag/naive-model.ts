/**
 * What a run must come to, written straight from the table of trigger rules, over final outcomes only: no clock, no
 * attempts, no order of events. It shares nothing with `dag/` but the names of rules and states.
 */
export type Rule =
  | 'all_success'
  | 'all_failed'
  | 'all_done'
  | 'all_done_min_one_success'
  | 'all_skipped'
  | 'one_failed'
  | 'one_success'
  | 'one_done'
  | 'none_failed'
  | 'none_failed_min_one_success'
  | 'none_skipped'
  | 'always';

export type End = 'success' | 'failed' | 'skipped' | 'upstream_failed';

export interface NaiveTask {
  readonly id: string;
  readonly upstream: readonly string[];
  readonly rule: Rule;
  /** How it ends if it runs. */
  readonly ifRun: 'success' | 'failed' | 'skipped';
  /** For a branch that succeeds: the direct downstream tasks it follows. */
  readonly follows: readonly string[] | null;
  /** For a short circuit that succeeds with a falsy value. */
  readonly cuts: boolean;
  readonly handles: boolean;
  readonly role: 'setup' | 'teardown' | null;
  /** Of a teardown: its failure counts. */
  readonly failsRun: boolean;
}

/** May a task with this rule start, given how its direct upstream tasks stand (null: not ended)? */
export function mayStart(rule: Rule, upstream: readonly (End | null)[]): boolean {
  const is =
    (...ends: (End | null)[]) =>
    (state: End | null): boolean =>
      ends.includes(state);
  const failed = is('failed', 'upstream_failed');
  const done = upstream.every((state) => state !== null);
  if (upstream.length === 0) return true;
  if (rule === 'all_success') return upstream.every(is('success'));
  if (rule === 'all_failed') return upstream.every(failed);
  if (rule === 'all_done') return done;
  if (rule === 'all_done_min_one_success') return done && upstream.some(is('success'));
  if (rule === 'all_skipped') return upstream.every(is('skipped'));
  if (rule === 'one_failed') return upstream.some(failed);
  if (rule === 'one_success') return upstream.some(is('success'));
  if (rule === 'one_done') return upstream.some(is('success', 'failed'));
  if (rule === 'none_failed') return done && !upstream.some(failed);
  if (rule === 'none_failed_min_one_success')
    return done && !upstream.some(failed) && upstream.some(is('success'));
  if (rule === 'none_skipped') return done && !upstream.some(is('skipped'));
  return true;
}

/** How a task ends that can never start: skipped if skips alone are to blame or its rule asked for something else, upstream_failed if a failure is. */
function endWithoutRunning(rule: Rule, upstream: readonly End[]): End {
  const failure = upstream.some((state) => state === 'failed' || state === 'upstream_failed');
  const failurePropagates: readonly Rule[] = [
    'all_success',
    'all_done_min_one_success',
    'one_success',
    'none_failed',
    'none_failed_min_one_success',
  ];
  return failure && failurePropagates.includes(rule) ? 'upstream_failed' : 'skipped';
}

function isBelow(tasks: readonly NaiveTask[], below: string, above: string): boolean {
  const { upstream } = tasks.find((task) => task.id === below)!;
  return upstream.some((id) => id === above || isBelow(tasks, id, above));
}

/** How a teardown ends: it runs if a setup right above it succeeded, however the rest ended. */
function endOfTeardown(task: NaiveTask, setups: readonly (End | undefined)[]): End {
  if (setups.includes('success')) return task.ifRun;
  return setups.includes('failed') || setups.includes('upstream_failed') ? 'upstream_failed' : 'skipped';
}

/** The setups above a task that it stands between and one of whose teardowns, or that have none. */
function setupsOf(
  tasks: readonly NaiveTask[],
  task: NaiveTask,
  above: readonly NaiveTask[],
): readonly NaiveTask[] {
  return above.filter(({ id, role }) => {
    const teardowns = tasks.filter((other) => other.role === 'teardown' && other.upstream.includes(id));
    return (
      role === 'setup' &&
      (teardowns.length === 0 || teardowns.some((each) => isBelow(tasks, each.id, task.id)))
    );
  });
}

/** The end of every task. */
export function naiveEnds(tasks: readonly NaiveTask[]): ReadonlyMap<string, End> {
  const ends = new Map<string, End>();
  const decide = (task: NaiveTask): void => {
    // The obvious fixpoint: a task is looked at once everything above it is known.
    const above = tasks.filter((other) => isBelow(tasks, task.id, other.id));
    if (above.some((other) => !ends.has(other.id)) || ends.has(task.id)) return;
    const ofBranch = (branch: NaiveTask): boolean =>
      branch.follows === null || branch.follows.some((id) => id === task.id || isBelow(tasks, task.id, id));
    const cut = above.some((other) => other.cuts && ends.get(other.id) === 'success');
    const notFollowed = above.some(
      (other) => task.upstream.includes(other.id) && ends.get(other.id) === 'success' && !ofBranch(other),
    );
    const upstream = task.upstream.map((id) => ends.get(id)!);
    const setups = setupsOf(tasks, task, above).map(({ id }) => ends.get(id)!);
    if (task.role === 'teardown') {
      const own = above.filter(({ id, role }) => role === 'setup' && task.upstream.includes(id));
      ends.set(
        task.id,
        endOfTeardown(
          task,
          own.map(({ id }) => ends.get(id)),
        ),
      );
    } else if (task.rule !== 'always' && (cut || notFollowed)) ends.set(task.id, 'skipped');
    else if (task.rule !== 'always' && setups.some((end) => end === 'failed' || end === 'upstream_failed'))
      ends.set(task.id, 'upstream_failed');
    else if (task.rule !== 'always' && setups.includes('skipped')) ends.set(task.id, 'skipped');
    else
      ends.set(task.id, mayStart(task.rule, upstream) ? task.ifRun : endWithoutRunning(task.rule, upstream));
  };
  while (ends.size < tasks.length) for (const task of tasks) decide(task);
  return ends;
}

/** How the run ends: failed if a task failed, unless what came of the failure was handled. */
export function naiveOutcome(
  tasks: readonly NaiveTask[],
  ends: ReadonlyMap<string, End>,
): 'success' | 'failed' {
  const handled = (id: string): boolean =>
    tasks.some(
      (task) =>
        task.upstream.includes(id) &&
        ((task.handles && ends.get(task.id) === 'success') ||
          (ends.get(task.id) === 'upstream_failed' && handled(task.id))),
    );
  const counts = (task: NaiveTask): boolean => task.role !== 'teardown' || task.failsRun;
  return tasks.some((task) => counts(task) && ends.get(task.id) === 'failed' && !handled(task.id))
    ? 'failed'
    : 'success';
}
