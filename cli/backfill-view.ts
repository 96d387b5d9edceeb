import { pc } from './colours.ts';
import { remainingMs } from '../dag/backfill.ts';
import type { BackfillIntervalRecord, BackfillRecord, BackfillState } from '../ports/backfill.ts';
import { count, duration, elapsed, stateText } from './format.ts';
import { liveLines } from './live-lines.ts';

/** What is shown of a backfill at one moment. */
export interface BackfillView {
  readonly backfill: BackfillRecord;
  readonly active: readonly BackfillIntervalRecord[];
  /** Runs that ended last, newest first. */
  readonly latest: readonly BackfillIntervalRecord[];
}

export function backfillStateText(state: BackfillState): string {
  return state === 'paused' ? pc.yellow(state) : stateText(state);
}

/** `2026-01-01`, or the instant when it is not a midnight. */
export function startText(start: string): string {
  return start.replace('T00:00:00Z', '');
}

export function rangeText({ from, to, backwards }: BackfillRecord): string {
  return backwards ? `${startText(to)} back to ${startText(from)}` : `${startText(from)} to ${startText(to)}`;
}

const named = ['success', 'failed', 'cancelled', 'skipped', 'running', 'remaining'] as const;

/** `31 intervals: 27 success, 1 failed, 3 skipped`. */
export function countsText({ counts }: BackfillRecord): string {
  const parts = named.filter((name) => counts[name] > 0).map((name) => `${count(counts[name])} ${name}`);
  return `${count(counts.total)} ${counts.total === 1 ? 'interval' : 'intervals'}: ${parts.join(', ')}`;
}

function estimate({ backfill, latest }: BackfillView, now: number): string {
  const { counts, state } = backfill;
  if (state !== 'running') return '';
  const endings = latest.flatMap(({ endedAt }) => (endedAt === null ? [] : [Date.parse(endedAt)]));
  const left = remainingMs(endings, counts.remaining + counts.running, now);
  return left === null ? '' : `  about ${duration(Math.max(left, 1000))} left`;
}

const barWidth = 40;

function bar({ counts }: BackfillRecord): string {
  const done = counts.total - counts.remaining - counts.running;
  const filled = Math.floor((done / Math.max(counts.total, 1)) * barWidth);
  return `${'█'.repeat(filled)}${pc.dim('░'.repeat(barWidth - filled))} ${Math.floor((100 * done) / Math.max(counts.total, 1))} %`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}

function line(interval: BackfillIntervalRecord): string {
  const reason = interval.state === 'failed' ? `  ${firstLine(interval.reason)}` : '';
  return `${startText(interval.start)}  ${stateText(interval.state === 'skipped' ? 'skipped' : interval.state)}  ${elapsed(interval.startedAt, interval.endedAt)}${reason}`;
}

export interface BackfillDisplay {
  show(view: BackfillView): void;
  end(): void;
}

const shownEndings = 8;

/** Drawn again in place. */
function terminalDisplay(terminal: NodeJS.WriteStream): BackfillDisplay {
  const live = liveLines(terminal);
  return {
    show: (view) => {
      const { backfill, active, latest } = view;
      live.draw([
        `${pc.bold(backfill.dagId)} ${rangeText(backfill)}  ${backfillStateText(backfill.state)}${estimate(view, Date.now())}`,
        bar(backfill),
        countsText(backfill),
        ...latest.slice(0, shownEndings).toReversed().map(line),
        ...active.map(line),
      ]);
    },
    end: () => live.end(),
  };
}

const everyLineMs = 10_000;

/** One line per run that ended, and now and then one that says how far it is; for a pipe or a log. */
function lineDisplay(write: (line: string) => void): BackfillDisplay {
  const seen = new Set<string>();
  let saidAt = Date.now();
  let state = '';
  return {
    show: (view) => {
      const { backfill, latest } = view;
      const title = `${backfill.dagId} backfill`;
      for (const interval of latest.toReversed()) {
        if (seen.has(interval.start)) continue;
        seen.add(interval.start);
        write(`${title}  ${line(interval)}`);
      }
      if (state === backfill.state && Date.now() - saidAt < everyLineMs) return;
      write(`${title}  ${backfill.state}  ${countsText(backfill)}${estimate(view, Date.now())}`);
      saidAt = Date.now();
      state = backfill.state;
    },
    end: () => {},
  };
}

export function backfillDisplay(write: (line: string) => void): BackfillDisplay {
  return process.stderr.isTTY ? terminalDisplay(process.stderr) : lineDisplay(write);
}
