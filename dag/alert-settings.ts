import type { AlertPlan, AlertRule, AlertSeverity, DeadlinePlan } from './alerts.ts';
import { deadlineReferences } from './alerts.ts';
import type { AlertOption, AlertOptions, DeadlineOption } from './declaration.ts';
import { durationMs } from './duration.ts';
import type { Problem } from './problems.ts';
import { problem, shown } from './problems.ts';

const severities: readonly AlertSeverity[] = ['info', 'warning', 'error'];
const known = ['topic', 'onFailure', 'onSuccess', 'onRetry', 'deadline'];
const longestMs = 366 * 86_400_000;

interface Place {
  readonly place: string;
  readonly problems: Problem[];
  /** Who is told when an alert names nobody. */
  readonly topic: string;
}

function isObject<T>(value: T): value is T & object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(name: string, value: unknown, { place, problems }: Place): string | null {
  if (value === undefined) return null;
  if (typeof value === 'string' && value !== '') return value;
  problems.push(problem(place, `${name} to be text`, shown(value), 'Correct the option.'));
  return null;
}

function severityOf(
  name: string,
  value: unknown,
  otherwise: AlertSeverity,
  { place, problems }: Place,
): AlertSeverity {
  if (value === undefined) return otherwise;
  const found = severities.find((each) => each === value);
  if (found !== undefined) return found;
  problems.push(
    problem(place, `${name}.severity to be one of ${severities.join(', ')}`, shown(value), 'Correct it.'),
  );
  return otherwise;
}

function ruleOf(
  name: string,
  given: Exclude<AlertOption, boolean>,
  severity: AlertSeverity,
  at: Place,
): AlertRule {
  const message = textOf(`${name}.message`, given.message, at);
  return {
    topic: textOf(`${name}.topic`, given.topic, at) ?? at.topic,
    severity: severityOf(name, given.severity, severity, at),
    ...(message === null ? {} : { message }),
  };
}

function alertOf(
  name: string,
  option: AlertOption | undefined,
  severity: AlertSeverity,
  at: Place,
): AlertRule | null {
  if (option === undefined || option === false) return null;
  if (option === true) return ruleOf(name, {}, severity, at);
  if (isObject(option)) return ruleOf(name, option, severity, at);
  at.problems.push(
    problem(
      at.place,
      `${name} to be true, false or { topic?, severity?, message? }`,
      shown(option),
      'Correct it.',
    ),
  );
  return null;
}

function deadlineOf(option: DeadlineOption | undefined, at: Place): DeadlinePlan | null {
  if (option === undefined) return null;
  const afterMs = durationMs(isObject(option) ? option.after : undefined);
  const from = (isObject(option) ? option.from : undefined) ?? 'schedule';
  if (afterMs === null || afterMs < 1000 || afterMs > longestMs || !deadlineReferences.includes(from)) {
    at.problems.push(
      problem(
        at.place,
        `alerts.deadline to be { after, from? } with after from 1s to 366d and from one of ${deadlineReferences.join(', ')}`,
        shown(option),
        "For example { after: '2h', from: 'schedule' }.",
      ),
    );
    return null;
  }
  return { ...ruleOf('alerts.deadline', option, 'error', at), afterMs, from };
}

/** The alerts of a DAG or task as they go into the plan; absent when there are none. `inherited` are those every task has unless it says otherwise. */
export function alertsOf(
  options: AlertOptions | undefined,
  at: Place,
  inherited: Pick<AlertOptions, 'onRetry'> = {},
): { readonly alerts?: AlertPlan } {
  if (options !== undefined && !isObject(options)) {
    at.problems.push(
      problem(at.place, 'alerts to be an object', shown(options), 'For example { onFailure: true }.'),
    );
    return {};
  }
  for (const name of Object.keys(options ?? {}))
    if (!known.includes(name))
      at.problems.push(
        problem(at.place, `alerts to hold only ${known.join(', ')}`, name, 'Remove or rename it.'),
      );
  const here = { ...at, topic: textOf('alerts.topic', options?.topic, at) ?? at.topic };
  const onFailure = alertOf('alerts.onFailure', options?.onFailure, 'error', here);
  const onSuccess = alertOf('alerts.onSuccess', options?.onSuccess, 'info', here);
  const onRetry = alertOf('alerts.onRetry', options?.onRetry ?? inherited.onRetry, 'warning', here);
  const deadline = deadlineOf(options?.deadline, here);
  const alerts: AlertPlan = {
    ...(onFailure === null ? {} : { onFailure }),
    ...(onSuccess === null ? {} : { onSuccess }),
    ...(onRetry === null ? {} : { onRetry }),
    ...(deadline === null ? {} : { deadline }),
  };
  return Object.keys(alerts).length === 0 ? {} : { alerts };
}
