import { setTimeout as delay } from 'node:timers/promises';
import { pc } from '../colours.ts';
import type { AttemptName, LogLine } from '../../activities/log-keys.ts';
import type { TaskState } from '../../dag/plan.ts';
import type { AttemptRecord, Ledger, RunRecord } from '../../ports/ledger.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { nearest } from '../../workers/config/nearest.ts';
import { attemptLogReader, loggedAttempts } from '../../workers/task-logs.ts';
import { wholeNumber } from '../arguments.ts';
import { UsageError, type Cli } from '../cli.ts';
import { findRun } from '../find-run.ts';
import { stateText } from '../format.ts';
import { withSession } from '../session.ts';

export interface TaskLogsFlags {
  readonly attempt?: string;
  readonly mapIndex?: string;
  readonly follow?: boolean;
  readonly json?: boolean;
}

const lookEveryMs = 500;
const endedStates: ReadonlySet<TaskState> = new Set([
  'success',
  'failed',
  'skipped',
  'upstream_failed',
  'up_for_retry',
]);

interface Source {
  readonly ledger: Ledger;
  readonly objects: ObjectStore;
  readonly run: RunRecord;
  readonly name: AttemptName;
}

/** `task`, or `task[3]` as other commands print it. */
function instanceOf(run: RunRecord, task: string, flags: TaskLogsFlags): AttemptName {
  const [, taskId, index] = /^(.*?)(?:\[(\d+)\])?$/.exec(task)!;
  const given = flags.mapIndex ?? index;
  const mapIndex = given === undefined ? null : wholeNumber('--map-index', given);
  return { dagId: run.dagId, runId: run.runId, taskId: taskId!, mapIndex };
}

async function checkTask({ ledger, run, name }: Source, attempts: readonly AttemptRecord[]): Promise<void> {
  const plan = await ledger.plan(run.planHash);
  const ids = plan?.tasks.map(({ id }) => id) ?? [];
  const task = plan?.tasks.find(({ id }) => id === name.taskId);
  if (task === undefined) {
    const meant = nearest(name.taskId, ids);
    throw new UsageError(
      `expected a task of ${run.dagId} (${ids.join(', ')}); found ${name.taskId}.${meant.length > 0 ? ` Did you mean ${meant.join(' or ')}?` : ''}`,
    );
  }
  if (task.mapOver === null && name.mapIndex !== null)
    throw new UsageError(`expected no --map-index: ${task.id} is not mapped; found ${name.mapIndex}.`);
  const indexes = attempts.filter((each) => each.taskId === task.id && each.mapIndex >= 0);
  if (task.mapOver !== null && name.mapIndex === null) {
    const last = Math.max(-1, ...indexes.map((each) => each.mapIndex));
    const range = last < 0 ? 'it has no instances yet' : `0 to ${last}`;
    throw new UsageError(`expected --map-index, for ${task.id} is mapped (${range}); found none.`);
  }
}

function recordsOf(name: AttemptName, attempts: readonly AttemptRecord[]): AttemptRecord[] {
  const mapIndex = name.mapIndex ?? -1;
  return attempts.filter(
    (each) => each.taskId === name.taskId && each.mapIndex === mapIndex && each.attempt > 0,
  );
}

async function chosenAttempt(source: Source, flags: TaskLogsFlags, attempts: readonly AttemptRecord[]) {
  const recorded = recordsOf(source.name, attempts).map(({ attempt }) => attempt);
  const logged = await loggedAttempts(source.objects, source.name);
  const known = [...new Set([...recorded, ...logged])].sort((a, b) => a - b);
  const latest = known.at(-1) ?? null;
  const attempt = flags.attempt === undefined ? latest : wholeNumber('--attempt', flags.attempt);
  if (attempt !== null && known.includes(attempt))
    return { attempt, others: known.filter((n) => n !== attempt) };
  if (flags.attempt === undefined) return { attempt: null, others: [] };
  throw new UsageError(
    `expected --attempt to be one of ${known.join(', ') || 'none: it has not been attempted'}; found ${flags.attempt}.`,
  );
}

const levelText: Readonly<Record<LogLine['level'], string>> = {
  debug: pc.dim('DEBUG'),
  info: 'INFO ',
  warn: pc.yellow('WARN '),
  error: pc.red('ERROR'),
};

function fieldText(fields: LogLine['fields']): string {
  const shown = Object.entries(fields ?? {}).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return shown.length === 0 ? '' : `  ${pc.dim(shown.join(' '))}`;
}

function lineText({ at, level, message, fields, event, error }: LogLine): string {
  const text = event === undefined ? message : pc.bold(message);
  const stack =
    error === undefined || error.stack === '' ? '' : `\n${pc.dim(error.stack.replace(/^/gm, '    '))}`;
  return `${pc.dim(at)} ${levelText[level]} ${text}${fieldText(fields)}${stack}`;
}

async function hasEnded({ ledger, run, name }: Source, attempt: number): Promise<boolean> {
  const open = (await ledger.run(run.runId))?.state === 'running';
  const records = recordsOf(name, await ledger.attempts(run.runId));
  const record = records.find((each) => each.attempt === attempt);
  return !open || (record !== undefined && endedStates.has(record.state));
}

/** The first attempt of a task that has had none, or null when the run ended without one. */
async function awaitAttempt(cli: Cli, source: Source): Promise<number | null> {
  cli.note(`${source.name.taskId} has not been attempted yet; waiting for it.`);
  for (;;) {
    const { ledger, run, name } = source;
    const open = (await ledger.run(run.runId))?.state === 'running';
    const [record] = recordsOf(name, await ledger.attempts(run.runId));
    if (record !== undefined) return record.attempt;
    const [logged] = await loggedAttempts(source.objects, name);
    if (logged !== undefined) return logged;
    if (!open) return null;
    await delay(lookEveryMs, undefined, { signal: cli.signal });
  }
}

async function printLines(cli: Cli, source: Source, attempt: number, flags: TaskLogsFlags): Promise<number> {
  const reader = attemptLogReader(source.objects, source.name, attempt);
  let printed = 0;
  for (;;) {
    // Asked before the last look, so that nothing said before the end is missed.
    const isLast = flags.follow !== true || (await hasEnded(source, attempt));
    for await (const line of reader.next()) {
      cli.print(flags.json ? JSON.stringify(line) : lineText(line));
      printed += 1;
    }
    if (isLast) return printed;
    await delay(lookEveryMs, undefined, { signal: cli.signal });
  }
}

function instanceText({ taskId, mapIndex }: AttemptName): string {
  return mapIndex === null ? taskId : `${taskId}[${mapIndex}]`;
}

async function heading(source: Source, attempt: number, others: readonly number[]): Promise<string> {
  const records = recordsOf(source.name, await source.ledger.attempts(source.run.runId));
  const state = records.find((each) => each.attempt === attempt)?.state;
  const more = others.length === 0 ? '' : `; also ${others.join(', ')}: --attempt <n>`;
  return `${source.run.workflowId}  ${instanceText(source.name)}  attempt ${attempt}${state === undefined ? '' : `  ${stateText(state)}`}${pc.dim(more)}`;
}

async function sayNothingLogged(cli: Cli, source: Source, attempt: number): Promise<void> {
  const records = recordsOf(source.name, await source.ledger.attempts(source.run.runId));
  const failure = records.find((each) => each.attempt === attempt)?.failure ?? null;
  cli.note(
    failure === null
      ? `Attempt ${attempt} of ${instanceText(source.name)} has logged nothing. Tasks log with context.log.`
      : `Attempt ${attempt} of ${instanceText(source.name)} logged nothing; it failed with ${failure.type}: ${failure.message}`,
  );
}

export async function taskLogs(cli: Cli, text: string, task: string, flags: TaskLogsFlags): Promise<void> {
  await withSession(cli, { temporal: false }, async (session) => {
    const { ledger, objects } = await session.readers();
    const run = await findRun(ledger, text);
    const source = { ledger, objects, run, name: instanceOf(run, task, flags) };
    const attempts = await ledger.attempts(run.runId);
    await checkTask(source, attempts);
    const chosen = await chosenAttempt(source, flags, attempts);
    const attempt =
      chosen.attempt ??
      (flags.follow === true && run.state === 'running' ? await awaitAttempt(cli, source) : null);
    if (attempt === null)
      return cli.note(
        `${instanceText(source.name)} of ${run.workflowId} has not been attempted: nothing was logged.`,
      );
    cli.note(await heading(source, attempt, chosen.others));
    const printed = await printLines(cli, source, attempt, flags);
    if (printed === 0) await sayNothingLogged(cli, source, attempt);
  });
}
