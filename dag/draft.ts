import { resolveArguments } from './arguments.ts';
import type { Json } from './json.ts';
import { defaultActiveTasks } from './plan.ts';
import type { ArgumentExpression, Plan, PlanTask, TaskState } from './plan.ts';
import type { PlanIndex } from './plan-index.ts';
import { planIndex } from './plan-index.ts';
import { byKey, instancesOf } from './instances.ts';
import { conflictsBeforeLease } from './retries.ts';
import type { Standing } from './standing.ts';
import type {
  Failure,
  InstanceKey,
  RunCommand,
  RunProgress,
  Step,
  TaskInstance,
  WaitReason,
} from './run-progress.ts';
import { hasEnded } from './trigger-rules.ts';

/**
 * What a reference to a task gives: its output; for a mapped task the list of the outputs of those of its instances
 * that succeeded, in order; null for a task that did not succeed.
 */
export function taskOutput(plan: Plan, progress: Pick<RunProgress, 'instances'>, taskId: string): Json {
  const whole = progress.instances[taskId];
  if (whole === undefined) return null;
  if (planIndex(plan).tasks.get(taskId)!.mapOver === null)
    return whole.state === 'success' ? whole.output : null;
  if (!hasEnded(whole.state) || whole.state === 'skipped' || whole.state === 'upstream_failed') return null;
  return instancesOf(progress.instances, taskId)
    .filter((instance) => instance.state === 'success')
    .map((instance) => instance.output);
}

/** One step under construction: it changes the standing of a run and collects what follows from that. */
export class Draft {
  readonly standing: Standing;
  readonly at: number;
  readonly #changed = new Set<InstanceKey>();
  readonly #commands: RunCommand[] = [];
  /** Tasks that ended in this step and whose downstream has not been looked at yet. */
  readonly ended: string[] = [];

  constructor(standing: Standing, at: number) {
    this.standing = standing;
    this.at = at;
  }

  get plan(): Plan {
    return this.standing.plan;
  }

  get index(): PlanIndex {
    return this.standing.index;
  }

  get cancelRequested(): boolean {
    return this.standing.cancelRequested;
  }

  get instances(): RunProgress['instances'] {
    return this.standing.instances;
  }

  task(id: string): PlanTask {
    return this.index.tasks.get(id)!;
  }

  /** State of a task; for a mapped one, of the whole. */
  state(taskId: string): TaskState {
    return this.instances[taskId]!.state;
  }

  set(instance: TaskInstance): void {
    this.standing.set(instance);
    this.#changed.add(instance.key);
  }

  command(command: RunCommand): void {
    this.#commands.push(command);
  }

  /** The value of an expression of a task; `item` is what `item` references mean. */
  resolve(expression: ArgumentExpression, item?: Json): Json {
    return resolveArguments(expression, (source) => {
      if (source.startsWith('task:'))
        return taskOutput(this.plan, this.standing, source.slice('task:'.length));
      if (source === 'item') return item;
      return (this.standing.facts as unknown as Record<string, Json>)[source];
    });
  }

  /** What a mapped task is mapped over; null where that is no list, or no list of lists. */
  listOf({ mapOver, flatten }: PlanTask): Json {
    const list = this.resolve(mapOver);
    if (flatten !== true || !Array.isArray(list)) return list;
    return (list as readonly Json[]).every((each) => Array.isArray(each)) ? list.flat() : null;
  }

  /** The element a mapped instance works on. */
  itemOf({ taskId, mapIndex }: TaskInstance): Json | undefined {
    if (mapIndex === null) return undefined;
    const list = this.standing.list(this.instances[taskId]!, () => this.listOf(this.task(taskId)));
    return Array.isArray(list) ? (list as readonly Json[])[mapIndex] : undefined;
  }

  /**
   * An attempt is to begin, now or as soon as there is a slot; `again` repeats the current number, for a poke and for a
   * task no worker knew.
   */
  start(instance: TaskInstance, again = false): void {
    const due = this.due(instance, again);
    if (this.hasSlot && this.standing.ready.isEmpty) return this.begin(due);
    this.set(due);
    this.standing.ready.add(due.key);
  }

  due(instance: TaskInstance, again = false): TaskInstance {
    return {
      ...instance,
      state: 'scheduled',
      attempt: again ? instance.attempt : instance.attempt + 1,
      waitingFor: null,
      scheduledAt: instance.scheduledAt ?? this.at,
    };
  }

  /** True while one more attempt may run. */
  get hasSlot(): boolean {
    const { draining, running, plan } = this.standing;
    return !draining && running < (plan.maxActiveTasks ?? defaultActiveTasks);
  }

  /** Begins the attempt that was due. */
  begin(due: TaskInstance): void {
    this.set({ ...due, state: 'running' });
    const { key, taskId, mapIndex, attempt, conflicts } = due;
    const input = this.resolve(this.task(taskId).input, this.itemOf(due));
    const lease = conflicts >= conflictsBeforeLease;
    this.command({ type: 'start_attempt', key, taskId, mapIndex, attempt, input, lease });
  }

  /** Lets an instance wait for its timer. */
  pause(
    instance: TaskInstance,
    state: 'waiting' | 'up_for_retry',
    reason: WaitReason['reason'],
    untilMs: number,
  ): void {
    this.set({
      ...instance,
      state,
      waitingFor: { reason, untilMs },
      scheduledAt: instance.scheduledAt ?? this.at,
    });
    this.command({ type: 'start_timer', key: instance.key, untilMs });
  }

  /** Ends an instance, and notes the task when that ended it. */
  end(
    instance: TaskInstance,
    state: 'success' | 'failed' | 'skipped' | 'upstream_failed',
    result: { output?: Json; failure?: Failure } = {},
  ): void {
    this.set({
      ...instance,
      state,
      output: result.output ?? null,
      failure: result.failure ?? (state === 'failed' ? instance.failure : null),
      waitingFor: null,
      endedAt: this.at,
    });
    if (instance.mapIndex === null) this.ended.push(instance.taskId);
    else this.endWhole(instance.taskId);
  }

  /** A mapped task ends with its last instance: failed if one failed, skipped if all were, otherwise with success. */
  endWhole(taskId: string): void {
    const whole = this.instances[taskId]!;
    const { made, open, failed, skipped } = this.standing.parts(taskId);
    const unmade = whole.size! - made;
    if (open > 0 || (unmade > 0 && !this.cancelRequested)) return;
    if (failed > 0) {
      const first = instancesOf(this.instances, taskId).find((part) => part.state === 'failed')!;
      const message = `${failed} of ${whole.size} instances failed; ${first.key}: ${first.failure?.message ?? 'no message'}`;
      this.end(whole, 'failed', {
        failure: { type: first.failure?.type ?? 'Error', message, retryable: false },
      });
    } else this.end(whole, unmade > 0 || skipped === made ? 'skipped' : 'success');
  }

  /** The finished step. Commands and changes are ordered by key, in the order given for one key. */
  done(): Omit<Step, 'progress'> {
    return {
      commands: this.#commands.sort((a, b) => byKey(commandKey(a), commandKey(b))),
      changed: [...this.#changed].sort(byKey).map((key) => this.instances[key]!),
    };
  }
}

/** What ends the execution sorts last. */
function commandKey(command: RunCommand): string {
  return 'key' in command ? command.key : '\u{10ffff}';
}
