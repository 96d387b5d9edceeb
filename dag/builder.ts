import type {
  DagDeclaration,
  DagOptions,
  SensorAnswer,
  SensorOptions,
  TaskBody,
  TaskDeclaration,
  TaskOptions,
  UpstreamDeclaration,
} from './declaration.ts';
import type { Duration } from './duration.ts';
import type { ParamDeclarations, ParamValue } from './params.ts';
import { problem } from './problems.ts';
import type { JsonOf, Ref, Referent, Referring, Wired } from './wiring.ts';
import { createRef, markReferring } from './wiring.ts';

export type { DagOptions, SensorAnswer, SensorOptions, TaskBody, TaskFunction, TaskKind, TaskOptions } from './declaration.ts';
export type { Duration } from './duration.ts';
export type { Ref, Wired } from './wiring.ts';

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
type MapWiring<T, I> = Element<T> extends I
  ? [wire?: (item: Ref<Element<T>>) => Wired<I>, options?: TaskOptions]
  : [wire: (item: Ref<Element<T>>) => Wired<I>, options?: TaskOptions];

/** What a DAG is declared with. All ids are unique in the DAG; those declared in a group get its id as a prefix. */
export interface DagTools<C, P extends ParamDeclarations = ParamDeclarations> {
  /** A task that runs `body` with `input`. Passing another task's output in `input` is the edge. */
  readonly task: <I, O>(id: string, body: TaskBody<I, O, C>, ...wiring: Wiring<NoInfer<I>, TaskOptions>) => Task<JsonOf<O>>;
  /** A task whose output, one or several of `choices`, says which direct downstream tasks (or groups) to follow; null follows none. */
  readonly branch: <const Choice extends string, I>(
    id: string,
    choices: readonly Choice[],
    body: TaskBody<I, NoInfer<Choice> | readonly NoInfer<Choice>[] | null, C>,
    ...wiring: Wiring<NoInfer<I>, TaskOptions>
  ) => Task<Choice | readonly Choice[] | null>;
  /** A task whose falsy output skips everything downstream, whatever the trigger rules there. */
  readonly shortCircuit: <I, O>(id: string, body: TaskBody<I, O, C>, ...wiring: Wiring<NoInfer<I>, TaskOptions>) => Task<JsonOf<O>>;
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
  /** A task whose body is poked until it answers `{ done: true }`; between pokes no worker is held. Its output is `value`. */
  readonly sensor: <I, V>(
    id: string,
    body: TaskBody<I, SensorAnswer<V>, C>,
    input: Wired<NoInfer<I>>,
    options: SensorOptions,
  ) => Task<JsonOf<V>>;
  /** A durable timer: for a length of time after it became ready, or until an instant (RFC 3339). */
  readonly wait: (id: string, how: { readonly for: Duration } | { readonly until: Wired<string> }, options?: Pick<TaskOptions, 'triggerRule' | 'summary'>) => Task<null>;
  /** Declares the tasks of `build` under the prefix `id.`. */
  readonly group: <R>(id: string, build: () => R) => TaskGroup<R>;
  readonly interval: Ref<{ readonly start: string; readonly end: string; readonly logicalDate: string }>;
  readonly params: { readonly [Name in keyof P]: Ref<ParamValue<P[Name]>> };
  readonly run: Ref<{ readonly id: string; readonly type: string }>;
}

/** A declared DAG, not yet checked: {@link compileDag} does that. */
export interface DagDefinition<C> {
  readonly id: string;
  readonly declaration: DagDeclaration<C>;
}

export type DagFactory<C> = <const P extends ParamDeclarations = Record<never, never>>(
  id: string,
  options: DagOptions<P>,
  build: (tools: DagTools<C, P>) => void,
) => DagDefinition<C>;

/** Makes the `dag` function for task bodies that get a context of type `C`. */
export function createDagFactory<C>(): DagFactory<C> {
  return (id, options, build) => {
    const declaration: DagDeclaration<C> = { id, options, tasks: [], groups: [], misuse: [] };
    build(createTools(declaration) as never);
    return { id, declaration };
  };
}

type LooseBody<C> = TaskBody<never, unknown, C>;

function createTools<C>(declaration: DagDeclaration<C>): unknown {
  let enclosing: readonly string[] = [];
  let wiringMap: string | null = null;

  const place = (id: string): string => `dag ${declaration.id}, task ${id}`;
  const ref = (source: Referent['source'], taskId: string | null): Ref<object> =>
    createRef({ scope: declaration, source, taskId, path: [] }, (found) =>
      declaration.misuse.push(
        problem(
          taskId === null ? `dag ${declaration.id}` : place(taskId),
          'references that are passed as (part of) an input',
          `${found} (${source}${taskId === null ? '' : ` of ${taskId}`})`,
          'It has no value before the run: pass it to a task and work with the value there.',
        ),
      ),
    );
  const prefixed = (id: string): string => [...enclosing.slice(-1), id].join('.');

  const declare = (part: Pick<TaskDeclaration<C>, 'id' | 'kind'> & Partial<TaskDeclaration<C>>): Task<unknown> => {
    const id = prefixed(part.id);
    if (wiringMap !== null)
      declaration.misuse.push(
        problem(place(id), 'no task declared in the wiring of a map', `it is declared in that of ${wiringMap}`, 'Mapping within a mapped task is not supported yet.'),
      );
    const task: TaskDeclaration<C> = {
      body: null,
      input: undefined,
      over: null,
      wait: null,
      choices: null,
      ...part,
      options: part.options ?? {},
      id,
      groups: enclosing,
      after: [],
    };
    declaration.tasks.push(task);
    return taskValue(declaration, task, ref('task', id));
  };

  return {
    task: (id: string, body: LooseBody<C>, input?: unknown, options?: TaskOptions) =>
      declare({ id, kind: 'task', body, input, ...given(options) }),
    branch: (id: string, choices: readonly string[], body: LooseBody<C>, input?: unknown, options?: TaskOptions) =>
      declare({ id, kind: 'branch', choices: [...choices], body, input, ...given(options) }),
    shortCircuit: (id: string, body: LooseBody<C>, input?: unknown, options?: TaskOptions) =>
      declare({ id, kind: 'short_circuit', body, input, ...given(options) }),
    sensor: (id: string, body: LooseBody<C>, input?: unknown, options?: SensorOptions) =>
      declare({ id, kind: 'sensor', body, input, ...given(options) }),
    wait: (id: string, wait: TaskDeclaration<C>['wait'], options?: TaskOptions) => declare({ id, kind: 'wait', wait, ...given(options) }),
    map(id: string, list: unknown, body: LooseBody<C>, wire?: (item: unknown) => unknown, options?: TaskOptions) {
      const outer = wiringMap;
      const item = ref('item', prefixed(id));
      wiringMap = prefixed(id);
      const input = wire === undefined ? item : wire(item);
      wiringMap = outer;
      return declare({ id, kind: 'task', over: { list }, body, input, ...given(options) });
    },
    group(id: string, build: () => unknown): TaskGroup<unknown> {
      const outer = enclosing;
      const group = { id: prefixed(id), groups: outer, after: [] as UpstreamDeclaration[] };
      declaration.groups.push(group);
      enclosing = [...outer, group.id];
      const result = build();
      enclosing = outer;
      return upstreamValue({ id: group.id, result }, { scope: declaration, what: 'group', id: group.id }, group.after);
    },
    interval: ref('interval', null),
    params: ref('params', null),
    run: ref('run', null),
  };
}

function given<Options>(options: Options | undefined): { readonly options?: Options } {
  return options === undefined ? {} : { options };
}

const upstreams = new WeakMap<object, UpstreamDeclaration>();

function taskValue<C>(declaration: DagDeclaration<C>, task: TaskDeclaration<C>, output: Ref<object>): Task<unknown> {
  const value = upstreamValue({ id: task.id, output }, { scope: declaration, what: 'task', id: task.id }, task.after);
  markReferring(value, { scope: declaration, source: 'task', taskId: task.id, path: [] });
  return value as unknown as Task<unknown>;
}

function upstreamValue<Value extends object>(
  value: Value,
  upstream: UpstreamDeclaration,
  after: UpstreamDeclaration[],
): Value & { after(...upstream: readonly unknown[]): never } {
  const made = Object.assign(value, {
    after(...given: readonly unknown[]) {
      for (const each of given)
        after.push((typeof each === 'object' && each !== null ? upstreams.get(each) : undefined) ?? { scope: null, what: 'unknown', id: String(each) });
      return made as never;
    },
  });
  upstreams.set(made, upstream);
  return made;
}
