import type { Json } from './json.ts';
import type { Plan, TaskState } from './plan.ts';
import type { PlanIndex } from './plan-index.ts';
import { planIndex } from './plan-index.ts';
import { ReadyQueue } from './ready-queue.ts';
import type { InstanceKey, RunFacts, RunProgress, TaskInstance } from './run-progress.ts';
import { hasEnded } from './trigger-rules.ts';
import type { UpstreamCounts } from './trigger-rules.ts';

/** Of a mapped task: how many instances there are, how many of them have not ended, failed or were skipped. */
export interface PartCounts {
  made: number;
  open: number;
  failed: number;
  skipped: number;
}

type Ended = Exclude<keyof UpstreamCounts, 'all'>;
const endedAs: Partial<Record<TaskState, Ended>> = {
  success: 'success',
  failed: 'failed',
  skipped: 'skipped',
  upstream_failed: 'upstreamFailed',
};

/**
 * The progress of a run in a form that is changed in place, with everything counted that a step needs to know of all
 * instances: so a step costs what it touches, however large the run is. Made from plain progress at any time.
 */
export class Standing {
  readonly plan: Plan;
  readonly index: PlanIndex;
  readonly facts: RunFacts;
  /** Ready instances without a slot, and mapped tasks with elements that have not begun. */
  readonly ready: ReadyQueue;
  cancelRequested: boolean;
  draining: boolean;
  pastSettled: boolean;
  held: boolean;
  outcome: RunProgress['outcome'];
  readonly #epochs: Record<InstanceKey, number>;
  readonly #instances: Record<InstanceKey, TaskInstance>;
  readonly #states = new Map<TaskState, number>();
  readonly #parts = new Map<string, PartCounts>();
  readonly #upstream = new Map<string, Record<Ended, number> & { readonly all: number }>();
  readonly #lists = new Map<string, { readonly of: TaskInstance; readonly list: Json }>();
  #open = 0;
  #running = 0;

  /** Takes over `progress.instances`, which nobody else may use from here on. */
  constructor(plan: Plan, progress: RunProgress) {
    this.plan = plan;
    this.index = planIndex(plan);
    this.facts = progress.facts;
    this.cancelRequested = progress.cancelRequested;
    this.draining = progress.draining === true;
    this.pastSettled = progress.pastSettled === true;
    this.held = progress.held === true;
    this.#epochs = { ...progress.epochs };
    this.outcome = progress.outcome;
    this.#instances = progress.instances as Record<InstanceKey, TaskInstance>;
    for (const { id, upstream } of plan.tasks)
      this.#upstream.set(id, {
        all: upstream.length,
        success: 0,
        failed: 0,
        upstreamFailed: 0,
        skipped: 0,
      });
    const all = Object.values(progress.instances);
    for (const instance of all) this.#count(instance, 1);
    this.ready = ReadyQueue.of(all.filter((instance) => this.isReady(instance)));
  }

  get instances(): Readonly<Record<InstanceKey, TaskInstance>> {
    return this.#instances;
  }

  get progress(): RunProgress {
    const { facts, cancelRequested, outcome } = this;
    return {
      facts,
      instances: this.#instances,
      cancelRequested,
      ...(this.pastSettled ? { pastSettled: true as const } : {}),
      ...(this.held ? { held: true as const } : {}),
      ...(Object.keys(this.#epochs).length > 0 ? { epochs: this.#epochs } : {}),
      ...(this.draining ? { draining: true as const } : {}),
      outcome,
    };
  }

  /** The number the next attempt has of instances that are no more. */
  get epochs(): Readonly<Record<InstanceKey, number>> {
    return this.#epochs;
  }

  /** Attempts under way. */
  get running(): number {
    return this.#running;
  }

  /** True when every instance has ended. */
  get allEnded(): boolean {
    return this.#open === 0;
  }

  get states(): ReadonlyMap<TaskState, number> {
    return this.#states;
  }

  upstreamCounts(taskId: string): UpstreamCounts {
    return this.#upstream.get(taskId)!;
  }

  parts(taskId: string): Readonly<PartCounts> {
    return this.#parts.get(taskId) ?? { made: 0, open: 0, failed: 0, skipped: 0 };
  }

  /** True for what takes a slot as soon as there is one. */
  isReady(instance: TaskInstance): boolean {
    if (instance.state === 'scheduled') return true;
    return (
      !this.cancelRequested &&
      instance.state === 'running' &&
      instance.size !== undefined &&
      this.parts(instance.taskId).made < instance.size
    );
  }

  set(instance: TaskInstance): void {
    const before = this.#instances[instance.key];
    if (before !== undefined) this.#count(before, -1);
    this.#instances[instance.key] = instance;
    this.#count(instance, 1);
  }

  /** Takes an instance of a mapped task away; its number is kept. */
  remove({ key, attempt }: TaskInstance): void {
    this.#count(this.#instances[key]!, -1);
    this.#epochs[key] = attempt;
    delete this.#instances[key];
  }

  /** The list a mapped task goes over, worked out once per expansion. */
  list(whole: TaskInstance, resolve: () => Json): Json {
    const known = this.#lists.get(whole.taskId);
    if (known?.of === whole) return known.list;
    const list = resolve();
    this.#lists.set(whole.taskId, { of: whole, list });
    return list;
  }

  #count(instance: TaskInstance, by: 1 | -1): void {
    const { state, taskId, mapIndex } = instance;
    this.#states.set(state, (this.#states.get(state) ?? 0) + by);
    if (!hasEnded(state)) this.#open += by;
    if (state === 'running' && (mapIndex !== null || this.index.tasks.get(taskId)!.mapOver === null))
      this.#running += by;
    if (mapIndex === null) this.#countDownstream(taskId, state, by);
    else this.#countPart(taskId, state, by);
  }

  #countDownstream(taskId: string, state: TaskState, by: 1 | -1): void {
    const ended = endedAs[state];
    if (ended === undefined) return;
    for (const below of this.index.downstream.get(taskId)!) this.#upstream.get(below)![ended] += by;
  }

  #countPart(taskId: string, state: TaskState, by: 1 | -1): void {
    const counts = this.#parts.get(taskId) ?? { made: 0, open: 0, failed: 0, skipped: 0 };
    this.#parts.set(taskId, counts);
    counts.made += by;
    if (!hasEnded(state)) counts.open += by;
    if (state === 'failed') counts.failed += by;
    if (state === 'skipped') counts.skipped += by;
  }
}
