import { resolveArguments } from './arguments.ts';
import type { Json } from './json.ts';
import type { ArgumentExpression, Plan, PlanTask, TaskState } from './plan.ts';
import type { PlanIndex } from './plan-index.ts';
import { planIndex } from './plan-index.ts';
import { conflictsBeforeLease } from './retries.ts';
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

export function instanceKey(taskId: string, mapIndex: number | null): InstanceKey {
  return mapIndex === null ? taskId : `${taskId}[${mapIndex}]`;
}

export function newInstance(taskId: string, mapIndex: number | null): TaskInstance {
  return {
    key: instanceKey(taskId, mapIndex),
    taskId,
    mapIndex,
    state: 'none',
    attempt: 0,
    failures: 0,
    conflicts: 0,
    output: null,
    failure: null,
    waitingFor: null,
    scheduledAt: null,
    endedAt: null,
  };
}

/** The instances of a mapped task, in order; none before it is expanded. */
export function instancesOf(
  instances: Readonly<Record<InstanceKey, TaskInstance>>,
  taskId: string,
): readonly TaskInstance[] {
  const found: TaskInstance[] = [];
  for (let index = 0; ; index += 1) {
    const instance = instances[instanceKey(taskId, index)];
    if (instance === undefined) return found;
    found.push(instance);
  }
}

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

/** How many instances have not ended: of all, and of each mapped task that was expanded. */
interface OpenCounts {
  all: number;
  readonly parts: Map<string, number>;
}

/** Counted once and then carried along, so that a step need not look at every instance. */
const openCounts = new WeakMap<RunProgress['instances'], OpenCounts>();

function openCountsOf(instances: RunProgress['instances']): OpenCounts {
  const known = openCounts.get(instances);
  if (known !== undefined) return { all: known.all, parts: new Map(known.parts) };
  const counts: OpenCounts = { all: 0, parts: new Map() };
  for (const instance of Object.values(instances)) count(counts, instance, 1);
  return counts;
}

function count(counts: OpenCounts, { state, taskId, mapIndex }: TaskInstance, by: 1 | -1): void {
  if (hasEnded(state)) return;
  counts.all += by;
  if (mapIndex !== null) counts.parts.set(taskId, (counts.parts.get(taskId) ?? 0) + by);
}

/** One step under construction: instances are changed in a copy, commands collected. */
export class Draft {
  readonly plan: Plan;
  readonly index: PlanIndex;
  readonly at: number;
  cancelRequested: boolean;
  pastSettled: boolean;
  readonly #epochs: Record<InstanceKey, number>;
  readonly #before: RunProgress;
  readonly #instances: Record<InstanceKey, TaskInstance>;
  readonly #open: OpenCounts;
  readonly #changed = new Set<InstanceKey>();
  readonly #commands: RunCommand[] = [];
  /** Tasks that ended in this step and whose downstream has not been looked at yet. */
  readonly ended: string[] = [];

  constructor(plan: Plan, progress: RunProgress, at: number) {
    this.plan = plan;
    this.index = planIndex(plan);
    this.at = at;
    this.cancelRequested = progress.cancelRequested;
    this.pastSettled = progress.pastSettled === true;
    this.#epochs = { ...progress.epochs };
    this.#before = progress;
    this.#instances = { ...progress.instances };
    this.#open = openCountsOf(progress.instances);
  }

  get instances(): Readonly<Record<InstanceKey, TaskInstance>> {
    return this.#instances;
  }

  task(id: string): PlanTask {
    return this.index.tasks.get(id)!;
  }

  /** State of a task; for a mapped one, of the whole. */
  state(taskId: string): TaskState {
    return this.#instances[taskId]!.state;
  }

  set(instance: TaskInstance): void {
    const before = this.#instances[instance.key];
    if (before !== undefined) count(this.#open, before, -1);
    count(this.#open, instance, 1);
    this.#instances[instance.key] = instance;
    this.#changed.add(instance.key);
  }

  /** Takes an instance of a mapped task away that was cleared; one that comes in its place has the number it would have had. */
  remove({ key, attempt }: TaskInstance): void {
    count(this.#open, this.#instances[key]!, -1);
    this.#epochs[key] = attempt;
    delete this.#instances[key];
    this.#changed.delete(key);
  }

  /** The instance of a mapped task, as it is or as it begins. */
  part(taskId: string, mapIndex: number): TaskInstance {
    const key = instanceKey(taskId, mapIndex);
    const known = this.#instances[key];
    if (known !== undefined) return known;
    return { ...newInstance(taskId, mapIndex), attempt: this.#epochs[key] ?? 0 };
  }

  /** True when every instance has ended. */
  get allEnded(): boolean {
    return this.#open.all === 0;
  }

  command(command: RunCommand): void {
    this.#commands.push(command);
  }

  /** The value of an expression of a task; `item` is what `item` references mean. */
  resolve(expression: ArgumentExpression, item?: Json): Json {
    return resolveArguments(expression, (source) => {
      if (source.startsWith('task:'))
        return taskOutput(this.plan, { instances: this.#instances }, source.slice('task:'.length));
      if (source === 'item') return item;
      return (this.#before.facts as unknown as Record<string, Json>)[source];
    });
  }

  /** When the instance became ready; a sensor's time runs from its first poke. */
  #readyAt({ taskId, scheduledAt }: TaskInstance): number | null {
    return scheduledAt ?? (this.task(taskId).kind === 'sensor' ? null : this.at);
  }

  /**
   * Begins an attempt, or lets it wait for the slots it needs; `again` repeats the current number, for a poke and for a
   * task no worker knew.
   */
  start(instance: TaskInstance, item: Json | undefined, again = false): void {
    const wasCleared = instance.state === 'none' && instance.attempt > 0;
    const next = { ...instance, attempt: again || wasCleared ? instance.attempt : instance.attempt + 1 };
    const { pool } = this.task(instance.taskId);
    if (pool === undefined) return this.begin(next, item);
    const { name, slots } = pool;
    this.set({
      ...next,
      state: 'waiting',
      waitingFor: { reason: 'pool', pool: name, slots, sinceMs: this.at, standing: null },
      scheduledAt: this.#readyAt(next),
    });
    this.command({ type: 'ask_pool', key: next.key, pool });
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
    if (!this.#commands.some((command) => command.type === 'look_at_past'))
      this.command({ type: 'look_at_past' });
  }

  /** Gives up what an instance waits for: its timer, its slots or its place in their queue. */
  stopWaiting({ key, waitingFor }: TaskInstance): void {
    if (waitingFor === null || waitingFor.reason === 'past') return;
    if (waitingFor.reason === 'pool') this.command({ type: 'release_pool', key });
    else if (waitingFor.untilMs !== null) this.command({ type: 'cancel_timer', key });
  }

  /** Begins the attempt whose number the instance carries. */
  begin(instance: TaskInstance, item: Json | undefined): void {
    this.set({
      ...instance,
      state: 'running',
      waitingFor: null,
      scheduledAt: instance.scheduledAt ?? this.at,
    });
    const { key, taskId, mapIndex, attempt } = instance;
    const input = this.resolve(this.task(taskId).input, item);
    this.command({
      type: 'start_attempt',
      key,
      taskId,
      mapIndex,
      attempt,
      input,
      lease: instance.conflicts >= conflictsBeforeLease,
    });
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
      for (const part of instancesOf(this.#instances, instance.taskId))
        if (!hasEnded(part.state)) this.remove(part);
      this.ended.push(instance.taskId);
    } else this.endWhole(instance.taskId);
  }

  /** A mapped task ends with its last instance: failed if one failed, skipped if all were, otherwise with success. */
  endWhole(taskId: string): void {
    if ((this.#open.parts.get(taskId) ?? 0) !== 0) return;
    const parts = instancesOf(this.#instances, taskId);
    const failed = parts.filter((part) => part.state === 'failed');
    const whole = this.#instances[taskId]!;
    if (failed.length > 0) {
      const first = failed[0]!;
      const message = `${failed.length} of ${parts.length} instances failed; ${first.key}: ${first.failure?.message ?? 'no message'}`;
      this.end(whole, 'failed', {
        failure: { type: first.failure?.type ?? 'Error', message, retryable: false },
      });
    } else this.end(whole, parts.every((part) => part.state === 'skipped') ? 'skipped' : 'success');
  }

  /** The finished step. Commands and changes are ordered by key, in the order given for one key. */
  done(outcome: RunProgress['outcome'], held = false): Step {
    const { facts } = this.#before;
    openCounts.set(this.#instances, this.#open);
    const progress: RunProgress = {
      facts,
      instances: this.#instances,
      cancelRequested: this.cancelRequested,
      ...(this.pastSettled ? { pastSettled: true as const } : {}),
      ...(held ? { held: true as const } : {}),
      ...(Object.keys(this.#epochs).length > 0 ? { epochs: this.#epochs } : {}),
      outcome,
    };
    return {
      progress,
      commands: this.#commands.sort((a, b) => byKey(commandKey(a), commandKey(b))),
      changed: [...this.#changed].sort(byKey).map((key) => this.#instances[key]!),
    };
  }
}

/** `look_at_past` sorts first, `finish_run` last. */
function commandKey(command: RunCommand): string {
  if (command.type === 'look_at_past') return '';
  return command.type === 'finish_run' ? '\u{10ffff}' : command.key;
}

/** The order of instance keys: by task, then by index as a number. */
export function byKey(a: InstanceKey, b: InstanceKey): number {
  if (a === b) return 0;
  const [left, right] = [a.split('['), b.split('[')] as [[string, string?], [string, string?]];
  if (left[0] !== right[0]) return left[0] < right[0] ? -1 : 1;
  return Number.parseInt(left[1] ?? '-1', 10) - Number.parseInt(right[1] ?? '-1', 10);
}
