import type { ScheduleDescription } from '@temporalio/client';
import { conditionText } from '../dag/assets.ts';
import { durationText } from '../dag/duration.ts';
import type { Plan } from '../dag/plan.ts';
import type { Schedule } from '../dag/schedule.ts';
import { schedulePolicies, ticksAsWanted } from './schedule-spec.ts';

export interface Difference {
  readonly field: string;
  readonly from: string | null;
  readonly to: string | null;
}

export function scheduleText({
  schedule,
  timezone,
  assets,
}: Pick<Plan, 'schedule' | 'timezone' | 'assets'>): string {
  const when = assets === undefined ? null : conditionText(assets);
  if (schedule === null) return when ?? 'by hand';
  return `${timeText({ schedule, timezone })}${when === null ? '' : ` or ${when}`}`;
}

function timeText({
  schedule,
  timezone,
}: {
  readonly schedule: Schedule;
  readonly timezone: string;
}): string {
  return `${'cron' in schedule ? schedule.cron : `every ${durationText(schedule.everyMs)}`} ${timezone}`;
}

const fields: Readonly<Record<string, (plan: Plan) => string | null>> = {
  schedule: scheduleText,
  startDate: (plan) => plan.startAt,
  endDate: (plan) => plan.endAt,
  catchup: (plan) => (plan.catchup ? 'on' : 'off'),
  maxActiveRuns: (plan) => String(plan.maxActiveRuns),
  jitter: (plan) => (plan.jitterMs === undefined ? null : durationText(plan.jitterMs)),
};

export function planDifferences(before: Plan | null, after: Plan): Difference[] {
  return Object.entries(fields)
    .map(([field, read]) => ({ field, from: before === null ? null : read(before), to: read(after) }))
    .filter(({ from, to }) => from !== to);
}

export function clockDifferences(
  description: ScheduleDescription,
  plan: Plan,
  taskQueue: string,
  now: number,
): Difference[] {
  const { action: does, policies, state } = description;
  const kept = (holds: boolean, field: string, from: string, to: string): Difference[] =>
    holds ? [] : [{ field, from, to }];
  return [
    ...kept(ticksAsWanted(plan, description, now), 'clock', 'ticks otherwise in Temporal', 'as declared'),
    ...kept(does.taskQueue === taskQueue, 'task queue', does.taskQueue, taskQueue),
    ...kept(
      does.workflowType === 'tick',
      'workflow',
      typeof does.workflowType === 'string' ? does.workflowType : 'another',
      'tick',
    ),
    ...kept(
      policies.overlap === schedulePolicies.overlap,
      'overlap',
      policies.overlap ?? 'none',
      schedulePolicies.overlap,
    ),
    ...kept(!state.paused, 'clock', 'stopped in Temporal', 'running'),
  ];
}
