import type { Json, JsonObject } from './json.ts';
import { canonicalJson } from './json.ts';
import type { ParamPlan, Plan } from './plan.ts';
import type { Problem } from './problems.ts';
import { problem, shown } from './problems.ts';

interface ParamValues {
  readonly string: string;
  readonly integer: number;
  readonly number: number;
  readonly boolean: boolean;
  readonly date: string;
  readonly json: Json;
}

interface ParamShape<Type extends ParamPlan['type'], Value extends Json> {
  readonly type: Type;
  readonly default?: Value;
  /** True unless there is a default; `required: false` without one means null when not given. */
  readonly required?: boolean;
  readonly allowed?: readonly Value[];
  readonly description?: string;
}

/** A value a run can be given: `{ type: 'integer', default: 3 }`. A `date` is `YYYY-MM-DD`. */
export type ParamDeclaration = {
  [Type in keyof ParamValues]: ParamShape<Type, ParamValues[Type]>;
}[keyof ParamValues];
export type ParamDeclarations = Readonly<Record<string, ParamDeclaration>>;

/** The type of a param's value in the run. */
export type ParamValue<P> = P extends { readonly allowed: readonly (infer Allowed)[] }
  ? Allowed | Absent<P>
  : P extends { readonly type: infer Type extends keyof ParamValues }
    ? ParamValues[Type] | Absent<P>
    : never;
type Absent<P> = P extends { readonly default: Json }
  ? never
  : P extends { readonly required: false }
    ? null
    : never;

export function isDate(text: unknown): text is string {
  if (typeof text !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === text;
}

const checks: Readonly<Record<ParamPlan['type'], (value: Json) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: (value) => Number.isSafeInteger(value),
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  date: isDate,
  json: () => true,
};

export const paramTypes = Object.keys(checks) as readonly ParamPlan['type'][];

function expectation(param: ParamPlan): string {
  const type =
    { date: 'a date YYYY-MM-DD', integer: 'an integer', json: 'any JSON value' }[param.type as string] ??
    `a ${param.type}`;
  return param.allowed === null ? type : `one of ${param.allowed.map(shown).join(', ')}`;
}

/** What is wrong with `value` for `param`, or null. */
export function paramProblem(place: string, param: ParamPlan, value: Json): Problem | null {
  const fits = checks[param.type](value);
  const allowed =
    param.allowed === null || param.allowed.some((each) => canonicalJson(each) === canonicalJson(value));
  return fits && allowed ? null : problem(place, expectation(param), shown(value), 'Give a value that fits.');
}

export interface ResolvedParams {
  readonly values: JsonObject;
  readonly problems: readonly Problem[];
}

/** The values of all params of a run: those given, defaults for the rest. Every unknown, missing and unfit one is a problem. */
export function resolveParams(plan: Pick<Plan, 'params'>, given: JsonObject): ResolvedParams {
  const problems: Problem[] = [];
  const names = Object.keys(plan.params);
  for (const name of Object.keys(given).filter((each) => !names.includes(each)))
    problems.push(
      problem(
        `param ${name}`,
        `one of ${names.join(', ') || '(this DAG has no params)'}`,
        name,
        'Correct or remove it.',
      ),
    );
  const values = names.map((name): [string, Json] => {
    const param = plan.params[name]!;
    const value = Object.hasOwn(given, name) ? given[name]! : undefined;
    if (value === undefined) {
      if (param.required)
        problems.push(
          problem(`param ${name}`, expectation(param), 'no value', 'Give one; it has no default.'),
        );
      return [name, param.default];
    }
    if (value === null && !param.required && param.default === null) return [name, null];
    const wrong = paramProblem(`param ${name}`, param, value);
    if (wrong !== null) problems.push(wrong);
    return [name, value];
  });
  return { values: Object.fromEntries(values), problems };
}

/** Reads params given as text (a command line's `name=value`) by their declared types, then {@link resolveParams}. */
export function resolveParamTexts(
  plan: Pick<Plan, 'params'>,
  texts: Readonly<Record<string, string>>,
): ResolvedParams {
  const given = Object.entries(texts).map(([name, text]): [string, Json] => {
    const type = Object.hasOwn(plan.params, name) ? plan.params[name]!.type : 'string';
    return [name, type === 'string' || type === 'date' ? text : parsed(text)];
  });
  return resolveParams(plan, Object.fromEntries(given));
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
