import { expect, test } from 'vitest';
import { deadlinesOf, incidentOf, runFailedIncident } from '../../dag/alerts.ts';
import type { AlertOptions } from '../../dag/declaration.ts';
import { newInstance } from '../../dag/instances.ts';
import type { RunFacts, TaskInstance } from '../../dag/reducer.ts';
import { dag, facts, planOf, problemsOf } from './support.ts';

const nothing = () => null;

function withAlerts(ofDag: AlertOptions | undefined, ofTask?: AlertOptions) {
  return dag('shop', ofDag === undefined ? {} : { alerts: ofDag }, ({ task }) => {
    task('load', nothing, undefined, ofTask === undefined ? {} : { alerts: ofTask });
  });
}

test('a DAG without alerts has none in its plan', () => {
  for (const options of [undefined, {}, { onFailure: false, topic: 'x' }]) {
    const plan = planOf(withAlerts(options, options));
    expect(JSON.stringify(plan)).not.toContain('alerts');
  }
});

test('topics go from alert to task to DAG to its id; retries of the DAG are those of its tasks', () => {
  const plan = planOf(
    withAlerts(
      { topic: 'team', onFailure: true, onRetry: { severity: 'info' } },
      { onSuccess: { topic: 'own', message: 'done on {date}' } },
    ),
  );
  expect(plan.alerts).toEqual({ onFailure: { topic: 'team', severity: 'error' } });
  expect(plan.tasks[0]!.alerts).toEqual({
    onSuccess: { topic: 'own', severity: 'info', message: 'done on {date}' },
    onRetry: { topic: 'team', severity: 'info' },
  });
  expect(planOf(withAlerts({ onSuccess: true })).alerts!.onSuccess!.topic).toBe('shop');
  expect(planOf(withAlerts({ onRetry: true }, { onRetry: false })).tasks[0]).not.toHaveProperty('alerts');
});

test('everything wrong with alerts is said at once', () => {
  const wrong = {
    topic: '',
    onFailure: 'loud',
    onSuccess: { severity: 'fatal', message: 3 },
    deadline: { after: '0s' },
    onDelay: true,
  } as unknown as AlertOptions;
  const problems = problemsOf(withAlerts(wrong)).join('\n');
  for (const part of [
    'alerts.topic',
    'alerts.onFailure',
    'onSuccess.severity',
    'onSuccess.message',
    'alerts.deadline',
    'onDelay',
  ])
    expect(problems).toContain(part);
  expect(problemsOf(withAlerts('x' as unknown as AlertOptions)).join()).toContain('alerts to be an object');
});

const queuedAt = Date.parse('2026-01-02T00:05:00Z');
const scheduled: RunFacts = { ...facts, run: { id: 'r1', type: 'scheduled' } };

test('a deadline counts from when a scheduled run was due, from its creation, or from its turn', () => {
  const instants = (from: 'schedule' | 'queued' | 'started', of: RunFacts, startedAt: number | null) =>
    deadlinesOf(planOf(withAlerts({ deadline: { after: '1h', from } })), {
      facts: of,
      queuedAt,
      startedAt,
    }).map(({ atMs }) => new Date(atMs).toISOString());
  expect(instants('schedule', scheduled, null)).toEqual(['2026-01-02T01:00:00.000Z']);
  expect(instants('schedule', facts, null)).toEqual(['2026-01-02T01:05:00.000Z']);
  expect(instants('queued', scheduled, null)).toEqual(['2026-01-02T01:05:00.000Z']);
  expect(instants('started', scheduled, null)).toEqual([]);
  expect(instants('started', scheduled, Date.parse('2026-01-02T03:00:00Z'))).toEqual([
    '2026-01-02T04:00:00.000Z',
  ]);
});

test('run and tasks have deadlines of their own, each told once', () => {
  const plan = planOf(withAlerts({ deadline: { after: '1h' } }, { deadline: { after: '30m' } }));
  const found = deadlinesOf(plan, { facts: scheduled, queuedAt, startedAt: null });
  expect(found.map(({ incident }) => [incident.name, incident.task, incident.deadline!.at])).toEqual([
    ['deadline', null, '2026-01-02T01:00:00.000Z'],
    ['task/load/deadline', 'load', '2026-01-02T00:30:00.000Z'],
  ]);
});

const rule = { topic: 't', severity: 'error' } as const;
const failure = { type: 'Error', message: 'no', retryable: true };
const instance = (over: Partial<TaskInstance>): TaskInstance => ({
  ...newInstance('load', null),
  attempt: 2,
  ...over,
});

test('a cancelled task is nobody’s alarm, an instance of a mapped one only when it is tried again', () => {
  const all = { onFailure: rule, onSuccess: rule, onRetry: rule };
  const name = (over: Partial<TaskInstance>) => incidentOf(all, instance(over))?.name ?? null;
  expect(name({ state: 'failed', failure })).toBe('task/load/failed');
  expect(name({ state: 'failed', failure: { ...failure, type: 'Cancelled' } })).toBeNull();
  expect(name({ state: 'success' })).toBe('task/load/success');
  expect(name({ state: 'running' })).toBeNull();
  const third = { key: 'load[3]', mapIndex: 3 };
  expect(name({ ...third, state: 'failed', failure })).toBeNull();
  expect(name({ ...third, state: 'up_for_retry', failure })).toBe('task/load[3]/retry/2');
});

test('a run that fails again after it was held is another incident', () => {
  const names = [1, 2].map((nth) => runFailedIncident({ onFailure: rule }, null, nth)!.name);
  expect(names).toEqual(['failed', 'failed/2']);
  expect(runFailedIncident(undefined, null)).toBeNull();
});
