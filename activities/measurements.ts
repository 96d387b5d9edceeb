import type { RunOutcome, TaskState } from '../dag/plan.ts';
import type { AttemptRecord, Manifest } from '../ports/ledger.ts';
import type { Measurement } from '../ports/metrics.ts';

const finalStates: ReadonlySet<TaskState> = new Set([
  'success',
  'failed',
  'skipped',
  'upstream_failed',
  'up_for_retry',
]);

function durationMs(startedAt: string, endedAt: string): number {
  return Math.max(0, Date.parse(endedAt) - Date.parse(startedAt));
}

export interface EndedRunFacts {
  readonly dagId: string;
  readonly outcome: RunOutcome;
  readonly startedAt: string;
  readonly endedAt: string;
}

/** A run by DAG and outcome, and how long it took. */
export function measurementsOfRun({ dagId, outcome, startedAt, endedAt }: EndedRunFacts): Measurement[] {
  const common = { dimensions: { dag: dagId, state: outcome }, at: endedAt };
  return [
    { ...common, name: 'runs', value: 1, unit: 'count' },
    { ...common, name: 'run_duration', value: durationMs(startedAt, endedAt), unit: 'milliseconds' },
  ];
}

/** Attempts that ended, by DAG, task and how; of those that ran also how long they took. */
export function measurementsOfAttempts(dagId: string, attempts: readonly AttemptRecord[]): Measurement[] {
  return attempts.flatMap(({ taskId, state, startedAt, endedAt }): Measurement[] => {
    if (!finalStates.has(state) || endedAt === null) return [];
    const common = { dimensions: { dag: dagId, task: taskId, state }, at: endedAt };
    const counted: Measurement = { ...common, name: 'tasks', value: 1, unit: 'count' };
    if (startedAt === null) return [counted];
    return [
      counted,
      { ...common, name: 'task_duration', value: durationMs(startedAt, endedAt), unit: 'milliseconds' },
    ];
  });
}

function sumBy<T>(
  items: readonly T[],
  key: (item: T) => string,
  value: (item: T) => number,
): [string, number][] {
  const sums = new Map<string, number>();
  for (const item of items) sums.set(key(item), (sums.get(key(item)) ?? 0) + value(item));
  return [...sums];
}

/** Rows that broke a rule whose verdict is more than a pass, by table and rule. */
export function measurementsOfQuality(rules: Manifest['rules'], at: string): Measurement[] {
  const failures = sumBy(
    rules.filter(({ outcome }) => outcome !== 'pass'),
    (each) => JSON.stringify([each.table, each.rule]),
    (each) => each.failed,
  );
  return failures.map(([of, value]) => {
    const [table, rule] = JSON.parse(of) as [string, string];
    return { name: 'quality_failures', value, unit: 'count', dimensions: { table, rule }, at };
  });
}

/** Rows and bytes by table, and what of them broke a rule. */
export function measurementsOfPublication(
  { outputs, rules }: Pick<Manifest, 'outputs' | 'rules'>,
  at: string,
): Measurement[] {
  const byTable = (name: string, unit: Measurement['unit'], measure: 'rows' | 'bytes'): Measurement[] =>
    sumBy(
      outputs,
      ({ table }) => table,
      (output) => output[measure],
    ).map(([table, value]) => ({ name, value, unit, dimensions: { table }, at }));
  return [
    ...byTable('rows', 'count', 'rows'),
    ...byTable('bytes', 'bytes', 'bytes'),
    ...measurementsOfQuality(rules, at),
  ];
}
