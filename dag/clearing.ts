import { byKey, instancesOf } from './instances.ts';
import type { Plan, PlanTask, TaskState } from './plan.ts';
import { descendants, planIndex } from './plan-index.ts';
import { problem, type Problem } from './problems.ts';
import type { ClearRequest, InstanceKey, RunProgress, TaskInstance } from './run-progress.ts';
import { tornDown } from './setups.ts';
import { hasEnded } from './trigger-rules.ts';

type Instances = RunProgress['instances'];

/**
 * Why an instance is cleared: it was `asked` for; or something it depends on is cleared and it did not come to its end by
 * itself (`depends`: failed, upstream_failed or skipped without a try), or it is a setup or teardown of what is cleared and
 * that has been cleared away (`depends` as well); or it ran because of a failure that is
 * cleared (`reacted`: by `one_failed` or `all_failed`).
 */
export interface Cleared {
  readonly key: InstanceKey;
  readonly state: TaskState;
  readonly why: 'asked' | 'depends' | 'reacted';
}

export interface Clearing {
  /** Sorted. A mapped task as a whole stands for its instances. */
  readonly cleared: readonly Cleared[];
  readonly problems: readonly Problem[];
}

const failing: ReadonlySet<TaskState> = new Set(['failed', 'upstream_failed']);

/** A cleared task starts over: so can what has ended, and what waits for its next attempt. */
function clearable({ state }: TaskInstance): boolean {
  return hasEnded(state) || state === 'up_for_retry';
}

function neverTried({ state, scheduledAt }: TaskInstance): boolean {
  return state === 'skipped' && scheduledAt === null;
}

function failedParts(instances: Instances, taskId: string): readonly TaskInstance[] {
  return instancesOf(instances, taskId).filter(({ state }) => state === 'failed');
}

/** What stands for a task that failed: the failed instances of a mapped one, or the task. */
function failedOf(instances: Instances, task: PlanTask): readonly TaskInstance[] {
  const parts = failedParts(instances, task.id);
  if (parts.length > 0) return parts;
  const whole = instances[task.id]!;
  return failing.has(whole.state) ? [whole] : [];
}

/** Everything upstream of `ids`, however far. */
function ancestors(plan: Plan, ids: readonly string[]): ReadonlySet<string> {
  const { tasks } = planIndex(plan);
  const found = new Set<string>();
  const open = [...ids];
  for (let id = open.pop(); id !== undefined; id = open.pop())
    for (const above of tasks.get(id)?.upstream ?? [])
      if (!found.has(above)) {
        found.add(above);
        open.push(above);
      }
  return found;
}

/** What is wrong with the name of an instance, or null. */
export function instanceProblem(plan: Plan, instances: Instances, key: string): Problem | null {
  if (instances[key] !== undefined) return null;
  const taskId = key.split('[')[0]!;
  const parts = instancesOf(instances, taskId).length;
  const known = plan.tasks.map(({ id }) => id);
  const names =
    known.length > 20 ? `${known.slice(0, 20).join(', ')} and ${known.length - 20} more` : known.join(', ');
  if (!known.includes(taskId))
    return problem(`task ${key}`, `one of ${names}`, key, '`ingot runs show` lists them.');
  const expected =
    parts === 0 ? `${taskId}, which has no mapped instances` : `${taskId}[0] to ${taskId}[${parts - 1}]`;
  return problem(`task ${key}`, expected, key, 'Name the task, or one of its instances.');
}

function notEnded({ key, state }: TaskInstance): Problem {
  const remedy =
    state === 'none'
      ? 'It has not begun; the run comes to it by itself.'
      : 'Wait until it has ended, or mark it failed first.';
  return problem(`task ${key}`, 'a task that has ended or waits for a retry', state, remedy);
}

/** Instances that were asked for by name or by their place in the graph. */
class Asked {
  readonly chosen = new Map<InstanceKey, TaskInstance>();
  readonly problems: Problem[] = [];
  readonly #plan: Plan;
  readonly #instances: Instances;
  readonly #onlyFailed: boolean;

  constructor(plan: Plan, instances: Instances, request: ClearRequest) {
    this.#plan = plan;
    this.#instances = instances;
    this.#onlyFailed = request.onlyFailed;
    const named = request.tasks.length > 0 ? this.#named(request.tasks) : this.#unsuccessful();
    const { downstream } = planIndex(plan);
    if (request.downstream) for (const id of descendants(downstream, named)) this.#take(id, false);
    if (request.upstream) for (const id of ancestors(plan, named)) this.#take(id, false);
    const states = Object.values(instances).map(({ state }) => state);
    // Of a run that was cut short, what is left of it is enough.
    const cutShort = states.includes('none') && states.every((state) => state === 'none' || hasEnded(state));
    if (this.chosen.size === 0 && this.problems.length === 0 && !(cutShort && request.tasks.length === 0))
      this.problems.push(
        problem('tasks clear', 'something to clear', 'nothing that failed', 'Name tasks with --task.'),
      );
  }

  #named(names: readonly string[]): string[] {
    const ids: string[] = [];
    for (const name of names) {
      const wrong = instanceProblem(this.#plan, this.#instances, name);
      if (wrong !== null) this.problems.push(wrong);
      else {
        this.#take(name, true);
        ids.push(this.#instances[name]!.taskId);
      }
    }
    return ids;
  }

  #unsuccessful(): string[] {
    const failed = this.#plan.tasks.filter((task) => failedOf(this.#instances, task).length > 0);
    for (const task of failed)
      for (const instance of failedOf(this.#instances, task)) this.chosen.set(instance.key, instance);
    return failed.map(({ id }) => id);
  }

  #take(name: string, byName: boolean): void {
    const instance = this.#instances[name]!;
    const task = planIndex(this.#plan).tasks.get(instance.taskId)!;
    if (this.#onlyFailed) {
      const found =
        instance.mapIndex === null
          ? failedOf(this.#instances, task)
          : failing.has(instance.state)
            ? [instance]
            : [];
      for (const each of found) this.chosen.set(each.key, each);
    } else if (clearable(instance)) this.chosen.set(name, instance);
    // What has not begun needs no clearing, unless somebody believes it does.
    else if (byName || instance.state !== 'none') this.problems.push(notEnded(instance));
  }
}

/** What has to be decided or done again because tasks are cleared or marked (`runAgain` says which): see {@link Cleared}. Whole tasks only. */
export function affectedBelow(
  plan: Plan,
  instances: Instances,
  changed: ReadonlySet<string>,
  runAgain: boolean,
): ReadonlyMap<string, 'depends' | 'reacted'> {
  const { downstream, tasks } = planIndex(plan);
  const affected = new Map<string, 'depends' | 'reacted'>();
  const open = [...changed];
  const reaches = (id: string): void => {
    for (const below of descendants(downstream, [id])) {
      const instance = instances[below]!;
      const unsettled = failing.has(instance.state) || neverTried(instance);
      if (unsettled && !changed.has(below) && !affected.has(below)) {
        affected.set(below, 'depends');
        open.push(below);
      }
    }
  };
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    reaches(id);
    if (runAgain || !changed.has(id))
      for (const each of tornDown(plan, instances, id)) {
        if (changed.has(each) || affected.has(each)) continue;
        affected.set(each, 'depends');
        open.push(each);
      }
    if (!failing.has(instances[id]!.state)) continue;
    for (const below of downstream.get(id) ?? []) {
      const { triggerRule } = tasks.get(below)!;
      const reacts = triggerRule === 'one_failed' || triggerRule === 'all_failed';
      if (!reacts || changed.has(below) || affected.has(below) || !hasEnded(instances[below]!.state))
        continue;
      affected.set(below, 'reacted');
      open.push(below);
    }
  }
  return affected;
}

/** Which instances a request clears in a run that stands so, or everything that is wrong with it. */
export function clearedBy(
  plan: Plan,
  progress: Pick<RunProgress, 'instances'>,
  request: ClearRequest,
): Clearing {
  const { instances } = progress;
  const { chosen, problems } = new Asked(plan, instances, request);
  if (problems.length > 0) return { cleared: [], problems };
  const found = new Map<InstanceKey, Cleared>();
  for (const { key, state } of chosen.values()) found.set(key, { key, state, why: 'asked' });
  const taskIds = new Set([...chosen.values()].map(({ taskId }) => taskId));
  const affected = affectedBelow(plan, instances, taskIds, true);
  for (const [key, why] of affected) found.set(key, { key, state: instances[key]!.state, why });
  const running = [...unended(instances, affected), ...promote(plan, instances, found)];
  if (running.length > 0) return { cleared: [], problems: running };
  return { cleared: [...found.values()].sort((a, b) => byKey(a.key, b.key)), problems: [] };
}

/** A teardown that is under way: it has to end before it can be done again. */
export function unended(instances: Instances, affected: ReadonlyMap<string, unknown>): readonly Problem[] {
  return [...affected.keys()]
    .map((id) => instances[id]!)
    .filter(({ state }) => !hasEnded(state))
    .map(notEnded);
}

/**
 * An instance of a mapped task cannot start over by itself when something above the task does: then the whole of it does.
 * Answers what is wrong with that.
 */
function promote(plan: Plan, instances: Instances, found: Map<InstanceKey, Cleared>): Problem[] {
  const problems: Problem[] = [];
  const taskIds = new Set([...found.keys()].map((key) => instances[key]!.taskId));
  for (const { key, why } of found.values()) {
    const { taskId, mapIndex } = instances[key]!;
    if (mapIndex === null) continue;
    const whole = instances[taskId]!;
    const above = ancestors(plan, [taskId]);
    if (!found.has(taskId) && ![...taskIds].some((id) => above.has(id))) continue;
    found.delete(key);
    if (!clearable(whole) && whole.state !== 'none') problems.push(notEnded(whole));
    else if (!found.has(taskId) && whole.state !== 'none')
      found.set(taskId, { key: taskId, state: whole.state, why });
  }
  return problems;
}
