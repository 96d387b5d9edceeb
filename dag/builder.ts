import type {
  ApprovalQuestion,
  DagDeclaration,
  DagOptions,
  MapOptions,
  SensorOptions,
  TaskBody,
  TaskDeclaration,
  TaskOptions,
  TeardownOptions,
  UpstreamDeclaration,
} from './declaration.ts';
import type { ParamDeclarations } from './params.ts';
import { problem } from './problems.ts';
import type { DagTools, Task, TaskGroup } from './tools.ts';
import type { Ref, Referent } from './wiring.ts';
import { createRef, markReferring } from './wiring.ts';

export type { SensorAnswer, TaskKind, TaskSelect } from './declaration.ts';
export type { Ref } from './wiring.ts';

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

  const declare = (
    part: Pick<TaskDeclaration<C>, 'id' | 'kind'> & Partial<TaskDeclaration<C>>,
  ): Task<unknown> => {
    const id = prefixed(part.id);
    if (wiringMap !== null)
      declaration.misuse.push(
        problem(
          place(id),
          'no task declared in the wiring of a map',
          `it is declared in that of ${wiringMap}`,
          'Return a list from the mapped task, and go over all of these with flatMap(...).',
        ),
      );
    const task: TaskDeclaration<C> = {
      body: null,
      input: undefined,
      over: null,
      wait: null,
      approval: null,
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

  const mapping =
    (how: { readonly flatten?: true }) =>
    (
      id: string,
      list: unknown,
      body: LooseBody<C>,
      wire?: (item: unknown) => unknown,
      options?: MapOptions,
    ): Task<unknown> => {
      const outer = wiringMap;
      const item = ref('item', prefixed(id));
      wiringMap = prefixed(id);
      const input = wire === undefined ? item : wire(item);
      wiringMap = outer;
      return declare({ id, kind: 'task', over: { list, ...how }, body, input, ...given(options) });
    };

  return {
    task: (id: string, body: LooseBody<C>, input?: unknown, options?: TaskOptions) =>
      declare({ id, kind: 'task', body, input, ...given(options) }),
    setup: (id: string, body: LooseBody<C>, input?: unknown, options?: TaskOptions) =>
      declare({ id, kind: 'task', role: 'setup', body, input, ...given(options) }),
    teardown: (id: string, body: LooseBody<C>, input?: unknown, options?: TeardownOptions) =>
      declare({ id, kind: 'task', role: 'teardown', body, input, ...given(options) }),
    branch: (
      id: string,
      choices: readonly string[],
      body: LooseBody<C>,
      input?: unknown,
      options?: TaskOptions,
    ) => declare({ id, kind: 'branch', choices: [...choices], body, input, ...given(options) }),
    shortCircuit: (id: string, body: LooseBody<C>, input?: unknown, options?: TaskOptions) =>
      declare({ id, kind: 'short_circuit', body, input, ...given(options) }),
    sensor: (id: string, body: LooseBody<C>, input?: unknown, options?: SensorOptions) =>
      declare({ id, kind: 'sensor', body, input, ...given(options) }),
    wait: (id: string, wait: TaskDeclaration<C>['wait'], options?: TaskOptions) =>
      declare({ id, kind: 'wait', wait, ...given(options) }),
    approval: (id: string, approval: ApprovalQuestion, options?: TaskOptions) =>
      declare({ id, kind: 'approval', approval, ...given(options) }),
    map: mapping({}),
    flatMap: mapping({ flatten: true }),
    group(id: string, build: () => unknown): TaskGroup<unknown> {
      const outer = enclosing;
      const group = { id: prefixed(id), groups: outer, after: [] as UpstreamDeclaration[] };
      declaration.groups.push(group);
      enclosing = [...outer, group.id];
      const result = build();
      enclosing = outer;
      return upstreamValue(
        { id: group.id, result },
        { scope: declaration, what: 'group', id: group.id },
        group.after,
      );
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

function taskValue<C>(
  declaration: DagDeclaration<C>,
  task: TaskDeclaration<C>,
  output: Ref<object>,
): Task<unknown> {
  const value = upstreamValue(
    { id: task.id, output },
    { scope: declaration, what: 'task', id: task.id },
    task.after,
  );
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
        after.push(
          (typeof each === 'object' && each !== null ? upstreams.get(each) : undefined) ?? {
            scope: null,
            what: 'unknown',
            id: String(each),
          },
        );
      return made as never;
    },
  });
  upstreams.set(made, upstream);
  return made;
}
