import type { Problem } from './problems.ts';
import { problem } from './problems.ts';

/** Five cron fields as the sets they match. Day of month and day of week match either when both are restricted, as in cron. */
export interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** The hour field matches every hour: ticks follow real time, not the wall clock. */
  readonly everyHour: boolean;
  readonly anyDay: boolean;
  readonly anyWeekday: boolean;
}

export const cronPresets: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly names: readonly string[];
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const fields: readonly [Field, Field, Field, Field, Field] = [
  { name: 'minute', least: 0, most: 59, names: [] },
  { name: 'hour', least: 0, most: 23, names: [] },
  { name: 'day of month', least: 1, most: 31, names: [] },
  { name: 'month', least: 1, most: 12, names: monthNames },
  // 7 is Sunday too.
  { name: 'day of week', least: 0, most: 7, names: weekdayNames },
];

/**
 * Reads five cron fields (`*`, values, names, ranges, steps, lists) or a preset such as `@daily`. Returns every
 * problem of a text that is not one, or that never comes, such as 30 February.
 */
export function parseCron(text: string, place = 'schedule'): Cron | readonly Problem[] {
  const parts = (Object.hasOwn(cronPresets, text) ? cronPresets[text]! : text).trim().split(/\s+/);
  if (parts.length !== 5)
    return [
      problem(
        place,
        `five cron fields or one of ${Object.keys(cronPresets).join(', ')}`,
        JSON.stringify(text),
        "For example '30 6 * * mon-fri'.",
      ),
    ];
  const problems: Problem[] = [];
  const sets = fields.map((field, index) => fieldSet(field, parts[index]!, place, problems));
  const [minutes, hours, days, months, written] = sets as [
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
  ];
  if (problems.length > 0) return problems;
  const weekdays = new Set([...written].map((weekday) => weekday % 7));
  const anyDay = parts[2]!.startsWith('*');
  const anyWeekday = parts[4]!.startsWith('*');
  const cron = { minutes, hours, days, months, weekdays, everyHour: hours.size === 24, anyDay, anyWeekday };
  return comes(cron)
    ? cron
    : [
        problem(
          place,
          'a schedule that comes at some time',
          `${JSON.stringify(text)}, which never does`,
          'Those months do not have those days.',
        ),
      ];
}

/** True when the schedule ticks on this calendar day. `weekday` 0 is Sunday. */
export function matchesDay(cron: Cron, month: number, day: number, weekday: number): boolean {
  if (!cron.months.has(month)) return false;
  const byDay = cron.days.has(day);
  const byWeekday = cron.weekdays.has(weekday);
  return cron.anyDay || cron.anyWeekday ? byDay && byWeekday : byDay || byWeekday;
}

function comes(cron: Cron): boolean {
  if (!cron.anyDay && !cron.anyWeekday) return true;
  const longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return [...cron.months].some((month) => [...cron.days].some((day) => day <= longest[month - 1]!));
}

function fieldSet(field: Field, text: string, place: string, problems: Problem[]): Set<number> {
  const values = new Set<number>();
  for (const item of text.toLowerCase().split(',')) {
    const range = itemRange(field, item);
    if (range === null) {
      problems.push(
        problem(
          place,
          `${field.name}: *, a value from ${field.least} to ${field.most}, a range, a step or a list of these`,
          JSON.stringify(item),
          'L, W, # and ? are not supported.',
        ),
      );
      continue;
    }
    for (let value = range.from; value <= range.to; value += range.step) values.add(value);
  }
  return values;
}

function itemRange(field: Field, item: string): { from: number; to: number; step: number } | null {
  const [span, stepText, ...more] = item.split('/') as [string, string?];
  if (more.length > 0) return null;
  const step = stepText === undefined ? 1 : /^\d{1,2}$/.test(stepText) ? Number(stepText) : 0;
  if (step < 1) return null;
  if (span === '*') return { from: field.least, to: field.name === 'day of week' ? 6 : field.most, step };
  const ends = span.split('-');
  const from = fieldValue(field, ends[0]!);
  const to = ends.length > 1 ? fieldValue(field, ends[1]!) : stepText === undefined ? from : field.most;
  return ends.length > 2 || from === null || to === null || from > to ? null : { from, to, step };
}

function fieldValue(field: Field, text: string): number | null {
  const named = field.names.indexOf(text);
  if (named >= 0) return named + (field.least === 1 ? 1 : 0);
  if (!/^\d{1,2}$/.test(text)) return null;
  const value = Number(text);
  return value >= field.least && value <= field.most ? value : null;
}
