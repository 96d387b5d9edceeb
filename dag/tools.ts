import type { Approval } from './approvals.ts';
import type {
  ApprovalQuestion,
  MapOptions,
  SensorAnswer,
  SensorOptions,
  TaskBody,
  TaskOptions,
  TeardownOptions,
} from './declaration.ts';
import type { Duration } from './duration.ts';
import type { ParamDeclarations, ParamValue } from './params.ts';
import type { JsonOf, Ref, Referring, Wired } from './wiring.ts';

/** A task of the DAG being declared. It stands for its own output wherever an input is wired. */
export interface Task<O> extends Referring<O> {
  readonly id: string;
  readonly output: Ref<O>;
  /** Runs after these, without taking data from them. */
  after(...upstream: readonly Upstream[]): this;
}

/** Tasks declared together under one prefix; can be waited for, and made to wait, as a whole. */
export interface TaskGroup<R> {
  readonly id: string;
  /** What the group's function returned. */
  readonly result: R;
  /** Every task of the group that has none upstream within the group runs after these. */
  after(...upstream: readonly Upstream[]): this;
}

/** A task or group that something can run after. */
export type Upstream = (Referring<unknown> & { readonly id: string }) | TaskGroup<unknown>;

/** The arguments after a body: its input, which a body that takes none leaves out, and options. */
type Wiring<I, Options> = unknown extends I
  ? // While the body's own types are not inferred yet, `I` is unknown: nothing may be refused then.
    [input?: unknown, options?: Options]
  : undefined extends I
    ? [input?: Wired<I>, options?: Options]
    : [input: Wired<I>, options?: Options];
type Element<T> = T extends Referring<infer Value> ? Value : T;
type MapWiring<T, I> =
  Element<T> extends I
    ? [wire?: (item: Ref<Element<T>>) => Wired<I>, options?: MapOptions]
    : [wire: (item: Ref<Element<T>>) => Wired<I>, options?: MapOptions];

/** What a DAG is declared with. All ids are unique in the DAG; those declared in a group get its id as a prefix. */
export interface DagTools<C, P extends ParamDeclarations = ParamDeclarations> {
  /** A task that runs `body` with `input`. Passing another task's output in `input` is the edge. */
  readonly task: <I, O>(
    id: string,
    body: TaskBody<I, O, C>,
    ...wiring: Wiring<NoInfer<I>, TaskOptions>
  ) => Task<JsonOf<O>>;
  /**
   * A task that provides what others need, such as a cluster. The tasks between it and its teardowns (or all below it,
   * when it has none) run only if it succeeded, whatever their trigger rules; `always` excepted.
   */
  readonly setup: <I, O>(
    id: string,
    body: TaskBody<I, O, C>,
    ...wiring: Wiring<NoInfer<I>, TaskOptions>
  ) => Task<JsonOf<O>>;
  /**
   * A task that clears away what the setups directly upstream of it provided. It runs when one of them succeeded and
   * everything directly upstream has ended, however, and also in a run that is cancelled. Its own failure does not fail
   * the run unless `onFailureFailRun`. What comes after a group does not wait for the group's teardowns.
   */
  readonly teardown: <I, O>(
    id: string,
    body: TaskBody<I, O, C>,
    ...wiring: Wiring<NoInfer<I>, TeardownOptions>
  ) => Task<JsonOf<O>>;
  /** A task whose output, one or several of `choices`, says which direct downstream tasks (or groups) to follow; null follows none. */
  readonly branch: <const Choice extends string, I>(
    id: string,
    choices: readonly Choice[],
    body: TaskBody<I, NoInfer<Choice> | readonly NoInfer<Choice>[] | null, C>,
    ...wiring: Wiring<NoInfer<I>, TaskOptions>
  ) => Task<Choice | readonly Choice[] | null>;
  /** A task whose falsy output skips everything downstream, whatever the trigger rules there. */
  readonly shortCircuit: <I, O>(
    id: string,
    body: TaskBody<I, O, C>,
    ...wiring: Wiring<NoInfer<I>, TaskOptions>
  ) => Task<JsonOf<O>>;
  /**
   * One instance of `body` per element of the list `over`; `wire` makes an instance's input from its element, which
   * is the input itself when `wire` is left out. The output is the list of the outputs of the instances that succeeded, in order.
   */
  readonly map: <T, I, O>(
    id: string,
    over: Referring<readonly T[]> | readonly T[],
    body: TaskBody<I, O, C>,
    ...wiring: MapWiring<NoInfer<T>, NoInfer<I>>
  ) => Task<JsonOf<O>[]>;
  /**
   * A map within a map: `over` is a list of lists, such as the output of a map whose body returns lists, and each of
   * their elements gets an instance, numbered through. Otherwise like `map`, and its output can be mapped over again.
   */
  readonly flatMap: <T, I, O>(
    id: string,
    over: Referring<readonly (readonly T[])[]> | readonly (readonly T[])[],
    body: TaskBody<I, O, C>,
    ...wiring: MapWiring<NoInfer<T>, NoInfer<I>>
  ) => Task<JsonOf<O>[]>;
  /** A task whose body is poked until it answers `{ done: true }`; between pokes no worker is held. Its output is `value`. */
  readonly sensor: <I, V>(
    id: string,
    body: TaskBody<I, SensorAnswer<V>, C>,
    input: Wired<NoInfer<I>>,
    options: SensorOptions,
  ) => Task<JsonOf<V>>;
  /** A durable timer: for a length of time after it became ready, or until an instant (RFC 3339). */
  readonly wait: (
    id: string,
    how: { readonly for: Duration } | { readonly until: Wired<string> },
    options?: Pick<TaskOptions, 'triggerRule' | 'summary'>,
  ) => Task<null>;
  /** Waits until a person approves or rejects it (`ingot tasks approve`); no worker is held meanwhile. Its output says who approved. */
  readonly approval: (
    id: string,
    question: ApprovalQuestion,
    options?: Pick<TaskOptions, 'triggerRule' | 'summary'>,
  ) => Task<Approval>;
  /** Declares the tasks of `build` under the prefix `id.`. */
  readonly group: <R>(id: string, build: () => R) => TaskGroup<R>;
  readonly interval: Ref<{ readonly start: string; readonly end: string; readonly logicalDate: string }>;
  readonly params: { readonly [Name in keyof P]: Ref<ParamValue<P[Name]>> };
  readonly run: Ref<{ readonly id: string; readonly type: string }>;
}
