import { resolveArguments } from './arguments.ts';
import type { Json } from './json.ts';
import { defaultActiveTasks } from './plan.ts';
import type { ArgumentExpression, Plan, PlanTask, TaskState } from './plan.ts';
import type { PlanIndex } from './plan-index.ts';
import { planIndex } from './plan-index.ts';
import { byKey, instanceKey, instancesOf, newInstance } from './instances.ts';
import { conflictsBeforeLease } from './retries.ts';
import type { Standing } from './standing.ts';
import type {
  Failure,
  InstanceKey,
  RunCommand,
  RunProgress,
  Step,
  TaskInstance,
  TimedWait,
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

  /** Takes an instance of a mapped task away that was cleared; one that comes in its place has the number it would have had. */
  remove(instance: TaskInstance): void {
    this.standing.remove(instance);
    this.#changed.delete(instance.key);
  }

  /** The instance of a mapped task, as it is or as it begins. */
  part(taskId: string, mapIndex: number): TaskInstance {
    const key = instanceKey(taskId, mapIndex);
    const known = this.instances[key];
    if (known !== undefined) return known;
    return { ...newInstance(taskId, mapIndex), attempt: this.standing.epochs[key] ?? 0 };
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

  /** When the instance became ready; a sensor's time runs from its first poke. */
  #readyAt({ taskId, scheduledAt }: TaskInstance): number | null {
    return scheduledAt ?? (this.task(taskId).kind === 'sensor' ? null : this.at);
  }

  /**
   * An attempt is to begin, as soon as it has the slots of its pool and one of the run's; `again` repeats the current
   * number, for a poke and for a task no worker knew.
   */
  start(instance: TaskInstance, again = false): void {
    const next = again ? instance : this.numbered(instance);
    const { pool } = this.task(instance.taskId);
    if (pool === undefined) return this.admit(next);
    const { name, slots } = pool;
    this.set({
      ...next,
      state: 'waiting',
      waitingFor: { reason: 'pool', pool: name, slots, sinceMs: this.at, standing: null },
      scheduledAt: this.#readyAt(next),
    });
    this.command({ type: 'ask_pool', key: next.key, pool });
  }

  /** With the number of its next attempt. One that was cleared has it already. */
  numbered(instance: TaskInstance): TaskInstance {
    const wasCleared = instance.state === 'none' && instance.attempt > 0;
    return wasCleared ? instance : { ...instance, attempt: instance.attempt + 1 };
  }

  /** The attempt whose number the instance carries begins, now or as soon as the run has a slot. */
  admit(instance: TaskInstance): void {
    if (this.hasSlot && this.standing.ready.isEmpty) return this.begin(instance);
    this.set({
      ...instance,
      state: 'scheduled',
      waitingFor: null,
      scheduledAt: this.#readyAt(instance),
    });
    this.standing.ready.add(instance.key);
  }

  /** True while one more attempt may run. */
  get hasSlot(): boolean {
    const { draining, running, plan } = this.standing;
    return !draining && running < (plan.maxActiveTasks ?? defaultActiveTasks);
  }

  /** Lets a task wait for the previous interval's run, under the number of the attempt it is to begin, if it has any. */
  awaitPast(instance: TaskInstance): void {
    const { mapOver, kind } = this.task(instance.taskId);
    const isTried = mapOver === null && kind !== 'wait' && kind !== 'approval';
    this.set({
      ...instance,
      attempt: isTried ? Math.max(instance.attempt, 1) : instance.attempt,
      state: 'waiting',
      waitingFor: { reason: 'past', sinceMs: this.at, past: null },
      scheduledAt: this.#readyAt(instance),
    });
    this.lookAtPast();
  }

  lookAtPast(): void {
    if (!this.#commands.some((command) => command.type === 'look_at_past'))
      this.command({ type: 'look_at_past' });
  }

  /** Gives up what an instance waits for: its timer, its slots or its place in their queue. */
  stopWaiting({ key, taskId, state, waitingFor }: TaskInstance): void {
    const hasSlots = state === 'scheduled' && this.task(taskId).pool !== undefined;
    if (hasSlots || waitingFor?.reason === 'pool') this.command({ type: 'release_pool', key });
    else if (waitingFor !== null && waitingFor.reason !== 'past' && waitingFor.untilMs !== null)
      this.command({ type: 'cancel_timer', key });
  }

  /** Begins the attempt whose number the instance carries. */
  begin(instance: TaskInstance): void {
    this.set({
      ...instance,
      state: 'running',
      waitingFor: null,
      scheduledAt: instance.scheduledAt ?? this.at,
    });
    const { key, taskId, mapIndex, attempt, conflicts } = instance;
    const input = this.resolve(this.task(taskId).input, this.itemOf(instance));
    const lease = conflicts >= conflictsBeforeLease;
    this.command({ type: 'start_attempt', key, taskId, mapIndex, attempt, input, lease });
  }

  /** Lets an instance wait for its timer. */
  pause(
    instance: TaskInstance,
    state: 'waiting' | 'up_for_retry',
    reason: TimedWait['reason'],
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

  /** Lets an instance wait for a person, and for its timer if there is one. */
  awaitApproval(instance: TaskInstance, untilMs: number | null): void {
    this.set({
      ...instance,
      state: 'waiting',
      waitingFor: { reason: 'approval', untilMs },
      scheduledAt: instance.scheduledAt ?? this.at,
    });
    if (untilMs !== null) this.command({ type: 'start_timer', key: instance.key, untilMs });
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
    if (instance.mapIndex === null) {
      // Cleared with the whole, which ends without coming to them again.
      if (this.standing.parts(instance.taskId).open > 0)
        for (const part of instancesOf(this.instances, instance.taskId))
          if (!hasEnded(part.state)) this.remove(part);
      this.ended.push(instance.taskId);
    } else this.endWhole(instance.taskId);
  }

  /**
   * A mapped task ends with its last instance: failed if one failed, skipped if all were, otherwise with success. One that was
   * cut short by cancelling is skipped, so that a run that carries on makes the rest.
   */
  endWhole(taskId: string): void {
    const whole = this.instances[taskId]!;
    if (whole.size === undefined) return;
    const { made, open, failed, skipped } = this.standing.parts(taskId);
    const unmade = whole.size - made;
    if (open > 0 || (unmade > 0 && !this.cancelRequested)) return;
    if (unmade > 0) this.end(whole, 'skipped');
    else if (failed > 0) {
      const first = instancesOf(this.instances, taskId).find((part) => part.state === 'failed')!;
      const message = `${failed} of ${whole.size} instances failed; ${first.key}: ${first.failure?.message ?? 'no message'}`;
      this.end(whole, 'failed', {
        failure: { type: first.failure?.type ?? 'Error', message, retryable: false },
      });
    } else this.end(whole, skipped === made ? 'skipped' : 'success');
  }

  /** The finished step. Commands and changes are ordered by key, in the order given for one key. */
  done(): Omit<Step, 'progress'> {
    return {
      commands: this.#commands.sort((a, b) => byKey(commandKey(a), commandKey(b))),
      changed: [...this.#changed].sort(byKey).map((key) => this.instances[key]!),
    };
  }
}

/** `look_at_past` sorts first, what ends the execution last. */
function commandKey(command: RunCommand): string {
  if (command.type === 'look_at_past') return '';
  return 'key' in command ? command.key : '\u{10ffff}';
}
