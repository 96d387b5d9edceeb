import { pc } from './colours.ts';
import { waitText } from '../dag/wait-text.ts';
import type { Publication } from '../ports/ledger.ts';
import type { RunView, TaskView } from '../ports/run-steps.ts';
import { count, elapsed, stateText } from './format.ts';
import { liveLines } from './live-lines.ts';
import { textTable } from './text-table.ts';

/** Rows a task published, by task instance. */
export type RowsByTask = ReadonlyMap<string, number>;

/** Of the largest table it wrote: a task that writes the same rows in several forms counts them once. */
export function rowsByTask(publications: readonly Publication[]): RowsByTask {
  return new Map(
    publications.map(({ taskId, mapIndex, outputs }) => {
      const sums = Map.groupBy(outputs, (output) => output.table)
        .values()
        .map((parts) => parts.reduce((sum, output) => sum + output.rows, 0));
      return [mapIndex < 0 ? taskId : `${taskId}[${mapIndex}]`, Math.max(0, ...sums)];
    }),
  );
}

function waiting(task: TaskView): string {
  if (task.job !== undefined) return `waits for ${task.job.label}`;
  if (task.waitingFor === null) return task.failure?.message ?? '';
  return waitText(task.waitingFor, (ms) => new Date(ms).toISOString().slice(11, 19));
}

/** In the order in which they began; those that have not yet, last. */
function inOrder(tasks: readonly TaskView[]): TaskView[] {
  const began = ({ scheduledAt }: TaskView): number =>
    scheduledAt === null ? Number.POSITIVE_INFINITY : Date.parse(scheduledAt);
  return [...tasks].sort((a, b) => (began(a) === began(b) ? 0 : began(a) - began(b)));
}

/** How many task instances are in each state, of a run that has more than a view shows. */
function countsText({ counts }: RunView): string | null {
  if (counts === undefined) return null;
  const told = Object.entries(counts).filter(([, number]) => number > 0);
  return told.map(([state, number]) => `${count(number)} ${state}`).join(', ');
}

function taskTable(view: RunView, rows: RowsByTask): string {
  const lines = inOrder(view.tasks).map((task) => [
    task.key,
    stateText(task.state),
    task.attempt > 0 ? String(task.attempt) : '',
    elapsed(task.scheduledAt, task.endedAt),
    rows.has(task.key) ? count(rows.get(task.key)!) : '',
    waiting(task),
  ]);
  return textTable(['TASK', 'STATE', 'ATTEMPT', 'TOOK', 'ROWS', ''], lines, [
    'left',
    'left',
    'right',
    'right',
    'right',
  ]);
}

/** Longer than a worker that knows the DAG takes to begin the run. */
const patienceMs = 5000;
const remedy =
  'If the DAG is new in the configuration, end the stack with `ingot down` and run again; with workers of your own, start one that has it.';

/** Answers whether a run has been waiting for a worker for so long that the user should know. */
function impatience(): (view: RunView) => boolean {
  let since: number | null = null;
  return ({ waitingFor }) => {
    since = waitingFor === null ? null : (since ?? Date.now());
    return since !== null && Date.now() - since >= patienceMs;
  };
}

/** Shows a run while it goes on. */
export interface RunDisplay {
  /** `remarks`: what stands in the run's way from outside. */
  show(view: RunView, rows: RowsByTask, remarks?: readonly string[]): void;
  end(): void;
}

/** A table that is drawn again in place. */
function terminalDisplay(title: string, terminal: NodeJS.WriteStream): RunDisplay {
  const live = liveLines(terminal);
  const tooLong = impatience();
  return {
    show: (view, rows, remarks = []) =>
      live.draw([
        `${pc.bold(title)}  ${stateText(view.state)}${view.waitingFor === null ? '' : ` · waiting for ${view.waitingFor}`}${countsText(view) === null ? '' : ` · ${countsText(view)}`}`,
        ...(tooLong(view) ? remedy.split(/(?<=;) /) : taskTable(view, rows).split('\n')),
        ...remarks,
      ]),
    end: () => live.end(),
  };
}

/** One line per change, for a pipe or a log. */
function lineDisplay(title: string, write: (line: string) => void): RunDisplay {
  const seen = new Map<string, string>();
  const tooLong = impatience();
  let told = false;
  let counts: string | null = null;
  return {
    show: (view, rows, remarks = []) => {
      for (const remark of remarks.filter((each) => !seen.has(each))) {
        seen.set(remark, '');
        write(`${title}  ${remark}`);
      }
      if (!told && tooLong(view)) {
        told = true;
        write(`${title}  waiting for ${view.waitingFor}. ${remedy}`);
      }
      const now = countsText(view);
      if (now !== null && now !== counts) write(`${title}  ${(counts = now)}`);
      // Of thousands, only those somebody may have to look at.
      const isTold = ({ failure, waitingFor }: TaskView): boolean =>
        now === null || failure !== null || waitingFor !== null;
      for (const task of inOrder(view.tasks.filter(isTold))) {
        const state = `${task.state} ${task.attempt}`;
        if (seen.get(task.key) === state || task.state === 'none') continue;
        seen.set(task.key, state);
        const details = [
          task.attempt > 1 ? `attempt ${task.attempt}` : '',
          task.endedAt === null ? '' : elapsed(task.scheduledAt, task.endedAt),
          rows.has(task.key) ? `${count(rows.get(task.key)!)} rows` : '',
          waiting(task),
        ];
        write(
          `${title}  ${task.key}  ${task.state}${details
            .filter((text) => text !== '')
            .map((text) => `  ${text}`)
            .join('')}`,
        );
      }
    },
    end: () => {},
  };
}

export function runDisplay(title: string, write: (line: string) => void): RunDisplay {
  return process.stderr.isTTY ? terminalDisplay(title, process.stderr) : lineDisplay(title, write);
}
