import { alertsOf } from './alert-settings.ts';
import { assetCondition } from './assets.ts';
import { cronPresets, parseCron } from './cron.ts';
import type { DagOptions, ScheduleOption, TimeOption } from './declaration.ts';
import { durationMs } from './duration.ts';
import { instantOfText, instantText } from './interval.ts';
import type { ParamDeclaration } from './params.ts';
import { paramProblem, paramTypes } from './params.ts';
import { defaultActiveTasks, maxActiveTasks } from './plan.ts';
import type { ParamPlan, Plan } from './plan.ts';
import type { Problem } from './problems.ts';
import { problem, shown } from './problems.ts';
import type { Schedule } from './schedule.ts';
import { Settings } from './task-settings.ts';
import { isTimezone } from './zone.ts';

/** The plan of a DAG without its tasks, from its options; everything wrong with them is told to `problems`. */
export function planHeader(dagId: string, options: DagOptions, problems: Problem[]): Omit<Plan, 'tasks'> {
  const place = `dag ${dagId}`;
  const settings = new Settings(place, problems);
  const timezone = options.timezone ?? 'UTC';
  const zoned = isTimezone(timezone);
  if (!zoned)
    problems.push(
      problem(place, 'timezone to be an IANA name', shown(timezone), "For example 'UTC' or 'Europe/Berlin'."),
    );
  const startAt = dateOf('startDate', options.startDate, zoned ? timezone : 'UTC', place, problems);
  const endAt = dateOf('endDate', options.endDate, zoned ? timezone : 'UTC', place, problems);
  if (startAt !== null && endAt !== null && Date.parse(startAt) > Date.parse(endAt))
    problems.push(
      problem(
        place,
        'endDate not to be before startDate',
        `${options.startDate} and ${options.endDate}`,
        'Swap or correct them.',
      ),
    );
  return {
    format: 1,
    dagId,
    description: settings.text('description', options.description),
    schedule: scheduleOf(timeOf(options.schedule, place, problems), place, problems),
    timezone,
    startAt,
    endAt,
    catchup: settings.flag('catchup', options.catchup),
    ...assetsOf(options.schedule, place, problems),
    ...jitterOf(options.jitter, place, problems),
    maxActiveRuns: settings.number('maxActiveRuns', options.maxActiveRuns, 16, 1, 1000),
    ...pastOf(options, settings, place, problems),
    ...alertsOf(runAlerts(options), { place, problems, topic: dagId }),
    ...(settings.choice('onFailure', options.onFailure, ['fail', 'hold']) === 'hold'
      ? { onFailure: 'hold' as const }
      : {}),
    ...activeTasksOf(settings, options),
    params: Object.fromEntries(
      Object.entries(options.params ?? {}).map(([name, param]) => [
        name,
        paramPlan(`${place}, param ${name}`, name, param, problems),
      ]),
    ),
    tags: textList('tags', options.tags, place, problems),
    owners: textList('owners', options.owners, place, problems),
  };
}

/** A retry is a task's affair: the tasks inherit that part. */
function runAlerts({ alerts }: DagOptions): DagOptions['alerts'] {
  if (typeof alerts !== 'object' || alerts === null) return alerts;
  const { onRetry: _, ...others } = alerts;
  return others;
}

function isOnAssets(
  option: ScheduleOption | undefined,
): option is Extract<ScheduleOption, { assets: unknown }> {
  return typeof option === 'object' && option !== null && 'assets' in option;
}

function timeOf(
  option: ScheduleOption | undefined,
  place: string,
  problems: Problem[],
): TimeOption | undefined {
  if (!isOnAssets(option)) return option;
  const { or } = option;
  if (isOnAssets(or as ScheduleOption | undefined)) {
    problems.push(
      problem(place, 'schedule.or to be a time', shown(or), 'Combine assets with allOf and anyOf.'),
    );
    return undefined;
  }
  return or;
}

function assetsOf(
  option: ScheduleOption | undefined,
  place: string,
  problems: Problem[],
): Pick<Plan, 'assets'> {
  return isOnAssets(option) ? { assets: assetCondition(option.assets, place, problems) } : {};
}

function scheduleOf(option: TimeOption | undefined, place: string, problems: Problem[]): Schedule | null {
  if (option === undefined || option === null) return null;
  if (typeof option === 'string') {
    const cron = parseCron(option, `${place}, schedule`);
    if (!('minutes' in cron)) problems.push(...cron);
    const text = option.trim();
    return { cron: Object.hasOwn(cronPresets, text) ? cronPresets[text]! : text.split(/\s+/).join(' ') };
  }
  const everyMs = durationMs(option.every);
  if (everyMs !== null && everyMs >= 1000 && everyMs % 1000 === 0) return { everyMs };
  problems.push(
    problem(
      place,
      'schedule.every to be whole seconds, at least one',
      shown(option.every),
      "For example { every: '5m' }.",
    ),
  );
  return null;
}

function dateOf(
  name: string,
  text: string | undefined,
  timezone: string,
  place: string,
  problems: Problem[],
): string | null {
  if (text === undefined) return null;
  const at = instantOfText(text, timezone);
  if (at !== null && at % 1000 === 0) return instantText(at);
  problems.push(
    problem(
      place,
      `${name} to be YYYY-MM-DD or an RFC 3339 instant in whole seconds`,
      shown(text),
      "For example '2026-01-01'.",
    ),
  );
  return null;
}

function jitterOf(option: DagOptions['jitter'], place: string, problems: Problem[]): Pick<Plan, 'jitterMs'> {
  if (option === undefined) return {};
  const jitterMs = durationMs(option);
  if (jitterMs !== null && jitterMs % 1000 === 0) return jitterMs === 0 ? {} : { jitterMs };
  problems.push(problem(place, 'jitter to be whole seconds', shown(option), "For example '30s'."));
  return {};
}

/** Somewhere the past begins: without a start each run would wait for one before it. */
function pastOf(
  { dependsOnPast, startDate }: DagOptions,
  settings: Settings,
  place: string,
  problems: Problem[],
): Pick<Plan, 'dependsOnPast'> {
  if (!settings.flag('dependsOnPast', dependsOnPast)) return {};
  if (startDate === undefined)
    problems.push(
      problem(
        place,
        'a startDate beside dependsOnPast',
        'none',
        'Its first interval is the one that waits for nothing.',
      ),
    );
  return { dependsOnPast: true };
}

function activeTasksOf(settings: Settings, options: DagOptions): Pick<Plan, 'maxActiveTasks'> {
  const most = settings.number(
    'maxActiveTasks',
    options.maxActiveTasks,
    defaultActiveTasks,
    1,
    maxActiveTasks,
  );
  return most === defaultActiveTasks ? {} : { maxActiveTasks: most };
}

function textList(
  name: string,
  given: readonly string[] | undefined,
  place: string,
  problems: Problem[],
): readonly string[] {
  const list = given ?? [];
  if (Array.isArray(list) && list.every((each) => typeof each === 'string' && each !== ''))
    return [...new Set<string>(list)].sort();
  problems.push(problem(place, `${name} to be a list of texts`, shown(given), 'Correct the option.'));
  return [];
}

function paramPlan(place: string, name: string, param: ParamDeclaration, problems: Problem[]): ParamPlan {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(name))
    problems.push(
      problem(place, 'a name of letters, digits and _, beginning with a letter', shown(name), 'Rename it.'),
    );
  const plan: ParamPlan = {
    type: param.type,
    default: param.default ?? null,
    required: param.required ?? param.default === undefined,
    allowed: param.allowed === undefined ? null : [...param.allowed],
    description: param.description ?? null,
  };
  if (!paramTypes.includes(param.type)) {
    problems.push(
      problem(place, `type to be one of ${paramTypes.join(', ')}`, shown(param.type), 'Correct the type.'),
    );
    return { ...plan, type: 'json' };
  }
  if (param.required === true && param.default !== undefined)
    problems.push(
      problem(
        place,
        'either a default or required: true',
        'both',
        'A param with a default is never missing: leave required out.',
      ),
    );
  for (const each of param.allowed ?? [])
    push(paramProblem(`${place}, allowed`, { ...plan, allowed: null }, each), problems);
  if (param.default !== undefined) push(paramProblem(`${place}, default`, plan, param.default), problems);
  return plan;
}

function push(found: Problem | null, problems: Problem[]): void {
  if (found !== null) problems.push(found);
}
