import { alertsOf } from './alert-settings.ts';
import { assetProblem } from './assets.ts';
import type { DagDefinition } from './builder.ts';
import { planHeader } from './dag-settings.ts';
import type { DagDeclaration, TaskBody, TaskDeclaration, TaskSelect } from './declaration.ts';
import type { ExpressionScope } from './expressions.ts';
import { expressionOf } from './expressions.ts';
import type { Upstreams } from './graph.ts';
import { cyclesOf, edgesOf } from './graph.ts';
import { instantOfText } from './interval.ts';
import type { Json, JsonObject } from './json.ts';
import { dagIdProblem, taskIdProblem } from './names.ts';
import type { Plan, PlanTask, WaitPlan } from './plan.ts';
import { planHash } from './plan.ts';
import { DagProblemsError, problem, shown } from './problems.ts';
import type { Problem } from './problems.ts';
import { checkChoices, checkTriggerRule } from './rule-checks.ts';
import { checkSetups } from './setups.ts';
import { Settings } from './task-settings.ts';

/** What a worker runs for a task: the body as it was declared. Sensors answer `{ done, value? }`, branches ids. */
export interface CompiledBody<C> {
  readonly name: string;
  /** What of it must mean the same on every SQL engine. */
  readonly selects: readonly TaskSelect[];
  run(input: Json, context: C): unknown;
}

/** A checked DAG. `bodies` has one entry per task, except for `wait`s and `approval`s, which have none. */
export interface CompiledDag<C> {
  readonly id: string;
  readonly plan: Plan;
  readonly hash: string;
  readonly bodies: ReadonlyMap<string, CompiledBody<C>>;
}

/**
 * Checks a definition and turns it into data. Throws one {@link DagProblemsError} that lists everything wrong with
 * it. `sha256` gives the hexadecimal digest of a text; the same definition has the same hash.
 */
export function compileDag<C>(
  definition: DagDefinition<C>,
  { sha256 }: { readonly sha256: (text: string) => string },
): CompiledDag<C> {
  const declaration = definition.declaration;
  const problems: Problem[] = [...declaration.misuse];
  const plan = planOf(declaration as unknown as DagDeclaration<never>, problems);
  if (problems.length > 0) throw new DagProblemsError(`DAG ${definition.id}`, problems);
  const bodies = declaration.tasks.flatMap((task) =>
    task.body === null ? [] : [[task.id, compiledBody(task.id, task.body)] as const],
  );
  return { id: plan.dagId, plan, hash: planHash(plan, sha256), bodies: new Map(bodies) };
}

function compiledBody<C>(id: string, body: TaskBody<never, unknown, C>): CompiledBody<C> {
  if (typeof body === 'function')
    return { name: body.name || id, selects: [], run: (input, context) => body(input as never, context) };
  const { name, selects = [] } = body;
  return { name, selects, run: (input, context) => body.run(input as never, context) };
}

function planOf(declaration: DagDeclaration<never>, problems: Problem[]): Plan {
  const { id, options, tasks, groups } = declaration;
  const dagPlace = `dag ${id}`;
  note(problems, dagIdProblem(dagPlace, id));
  const header = planHeader(id, options, problems);
  if (tasks.length === 0)
    problems.push(problem(dagPlace, 'at least one task', 'none', 'Declare one with task(...).'));
  checkIds(declaration, problems);

  const params = new Set(Object.keys(header.params));
  const referred = new Map<string, ReadonlySet<string>>();
  const drafts = tasks.map((task) => {
    const place = `${dagPlace}, task ${task.id}`;
    const draft = planTask(task, declaration, {
      place,
      scope: declaration,
      itemOf: task.over === null ? null : task.id,
      params,
      problems,
    });
    referred.set(task.id, draft.referred);
    return draft.plan;
  });
  const edges = edgesOf(declaration, referred, problems);
  for (const cycle of cyclesOf(edges))
    problems.push(
      problem(
        dagPlace,
        'a graph without cycles',
        cycle.join(' → '),
        cycle.length === 2 ? 'A task cannot wait for itself.' : 'Remove one of these edges.',
      ),
    );
  const planned = drafts.map((task) => ({ ...task, upstream: [...edges.get(task.id)!].sort() }));
  checkSetups(dagPlace, planned, problems);
  planned.forEach((task, index) =>
    checkGraph(`${dagPlace}, task ${task.id}`, task, tasks[index]!, referred.get(task.id)!, edges, problems),
  );
  return { ...header, tasks: planned.sort((a, b) => (a.id < b.id ? -1 : 1)) };

  function checkIds(of: DagDeclaration<never>, found: Problem[]): void {
    const seen = new Set<string>();
    for (const [what, each] of [
      ...of.tasks.map((task) => ['task', task] as const),
      ...groups.map((group) => ['group', group] as const),
    ]) {
      note(found, taskIdProblem(`${dagPlace}, ${what} ${each.id}`, each.id));
      if (seen.has(each.id))
        found.push(problem(dagPlace, 'every id once', `${shown(each.id)} again`, 'Rename one of them.'));
      seen.add(each.id);
    }
  }
}

function checkGraph(
  place: string,
  task: PlanTask,
  declared: TaskDeclaration<never>,
  referred: ReadonlySet<string>,
  edges: Upstreams,
  problems: Problem[],
): void {
  checkTriggerRule(place, task, referred, problems);
  checkChoices(place, declared, edges, problems);
}

function planTask(
  task: TaskDeclaration<never>,
  { id: dagId, options: { defaults = {}, alerts } }: DagDeclaration<never>,
  scope: ExpressionScope,
): { readonly plan: PlanTask; readonly referred: ReadonlySet<string> } {
  const { options, body } = task;
  const settings = new Settings(scope.place, scope.problems);
  checkBody(task, scope);
  const input = expressionOf(task.input, scope);
  const over =
    task.over === null
      ? null
      : expressionOf(task.over.list, { ...scope, itemOf: null, place: `${scope.place}, map` });
  if (over !== null && !mappable(over.value))
    scope.problems.push(
      problem(
        scope.place,
        'map over a list, or a reference to one',
        shown(over.value),
        'Pass a list of values or a task that returns one.',
      ),
    );
  const wait = task.kind === 'wait' ? waitPlan(task, settings, scope) : null;
  const kind = typeof body === 'object' && body !== null ? body : null;
  const plan: PlanTask = {
    id: task.id,
    kind: task.kind,
    upstream: [],
    triggerRule: task.role === 'teardown' ? 'all_done' : (options.triggerRule ?? 'all_success'),
    input: input.value,
    mapOver: over?.value ?? null,
    ...(task.over?.flatten === true ? { flatten: true as const } : {}),
    ...settings.mapLength(task),
    retries: settings.retries(options.retries ?? defaults.retries),
    ...settings.times(task, defaults.timeout),
    sensor: task.kind === 'sensor' ? settings.sensor(options) : null,
    wait: wait?.plan ?? null,
    ...settings.pool(task, defaults),
    ...(task.kind === 'approval' ? { approval: settings.approval(task.approval) } : {}),
    ...(task.role === undefined ? {} : { role: task.role }),
    ...(settings.flag('onFailureFailRun', options.onFailureFailRun)
      ? { onFailureFailRun: true as const }
      : {}),
    ...(settings.flag('handlesFailure', options.handlesFailure) ? { handlesFailure: true as const } : {}),
    ...settings.queue(task, defaults.queue),
    ...alertsOf(options.alerts, { ...scope, topic: alerts?.topic ?? dagId }, alerts),
    ...assetNames('inlets', options.inlets, scope),
    ...assetNames('outlets', options.outlets, scope),
    summary: settings.text('summary', options.summary ?? kind?.summary),
    facts: facts(task, scope),
  };
  return { plan, referred: new Set([...input.taskIds, ...(over?.taskIds ?? []), ...(wait?.referred ?? [])]) };
}

function assetNames(
  option: 'inlets' | 'outlets',
  given: TaskDeclaration<never>['options']['inlets'],
  { place, problems }: ExpressionScope,
): Pick<PlanTask, 'inlets' | 'outlets'> {
  if (given === undefined) return {};
  if (!Array.isArray(given)) {
    problems.push(problem(place, `${option} to be a list of assets`, shown(given), 'Correct the option.'));
    return {};
  }
  const names = given.map((each: string | { readonly name: string }) =>
    typeof each === 'object' && each !== null ? each.name : each,
  );
  for (const name of names) note(problems, assetProblem(`${place}, ${option}`, name));
  return names.length === 0 ? {} : { [option]: [...new Set(names)].sort() };
}

function checkBody({ body, kind }: TaskDeclaration<never>, scope: ExpressionScope): void {
  const runs =
    typeof body === 'function' ||
    (typeof body === 'object' && body !== null && typeof body.run === 'function');
  if (!runs && kind !== 'wait' && kind !== 'approval')
    scope.problems.push(
      problem(
        scope.place,
        'a function or a task kind with run(input, context) as body',
        shown(body),
        'Pass one.',
      ),
    );
}

function mappable(over: Json): boolean {
  return Array.isArray(over) || (typeof over === 'object' && over !== null && '$ref' in over);
}

function facts({ body, kind, choices }: TaskDeclaration<never>, scope: ExpressionScope): JsonObject {
  if (kind === 'wait' || kind === 'approval') return { kind };
  const said =
    typeof body === 'object' && body !== null ? { ...body.facts, kind: body.name } : { kind: 'function' };
  const told = expressionOf(said, { ...scope, place: `${scope.place}, facts`, scope: {} })
    .value as JsonObject;
  return choices === null ? told : { ...told, choices: [...choices] };
}

function waitPlan(
  { wait }: TaskDeclaration<never>,
  settings: Settings,
  scope: ExpressionScope,
): { readonly plan: WaitPlan; readonly referred: ReadonlySet<string> } {
  if (wait?.for !== undefined && wait.until === undefined)
    return {
      plan: { forMs: settings.duration('for', wait.for, 0, 0, 10 * 366 * 86_400_000) },
      referred: new Set(),
    };
  if (wait?.until === undefined || wait.for !== undefined)
    scope.problems.push(
      problem(
        scope.place,
        'a wait to have either for or until',
        wait?.for === undefined ? 'neither' : 'both',
        "For example wait('pause', { for: '10m' }).",
      ),
    );
  const until = expressionOf(wait?.until, scope);
  if (typeof until.value !== 'object' && instantOfText(until.value, 'UTC') === null)
    scope.problems.push(
      problem(
        scope.place,
        'until to be an RFC 3339 instant or a reference to one',
        shown(until.value),
        "For example '2026-01-01T06:00:00Z'.",
      ),
    );
  return { plan: { until: until.value }, referred: until.taskIds };
}

function note(problems: Problem[], found: Problem | null): void {
  if (found !== null) problems.push(found);
}
