import { pc } from '../colours.ts';
import type { BackfillIntervalRecord, BackfillRecord } from '../../ports/backfill.ts';
import type { Ledger } from '../../ports/ledger.ts';
import {
  cancelBackfill,
  pauseBackfill,
  resumeBackfill,
  type BackfillHandle,
} from '../../workers/backfills.ts';
import { wholeNumber } from '../arguments.ts';
import { backfillStateText, countsText, rangeText, startText } from '../backfill-view.ts';
import { ExitError, UsageError, type Cli } from '../cli.ts';
import { findBackfill } from '../find-backfill.ts';
import { awaitBackfill, followBackfill } from '../follow-backfill.ts';
import { count, elapsed, instant } from '../format.ts';
import { linkTo, listLink } from '../links.ts';
import { withSession, type Session } from '../session.ts';
import { textTable } from '../text-table.ts';

export interface BackfillListFlags {
  readonly dag?: string;
  readonly open?: boolean;
  readonly limit: string;
  readonly json?: boolean;
}

interface JsonFlag {
  readonly json?: boolean;
}

const shownUnsuccessful = 20;

export async function backfillList(cli: Cli, flags: BackfillListFlags): Promise<void> {
  await withSession(cli, { temporal: false }, async (session) => {
    const { ledger } = await session.readers();
    const backfills = await ledger.backfills({
      limit: wholeNumber('--limit', flags.limit),
      ...(flags.dag === undefined ? {} : { dagId: flags.dag }),
      ...(flags.open ? { open: true } : {}),
    });
    if (flags.json) return cli.print(JSON.stringify(backfills));
    if (backfills.length === 0)
      return cli.print('No backfills. Start one with `ingot backfill create <dag> --from D --to D`.');
    const rows = backfills.map((each) => [
      each.dagId,
      rangeText(each),
      backfillStateText(each.state),
      countsText(each),
      instant(each.createdAt),
      elapsed(each.createdAt, each.endedAt),
      each.backfillId,
    ]);
    cli.print(textTable(['DAG', 'INTERVALS', 'STATE', '', 'CREATED', 'TOOK', 'BACKFILL'], rows));
  });
}

function unsuccessfulTable(intervals: readonly BackfillIntervalRecord[]): string {
  const rows = intervals
    .slice(0, shownUnsuccessful)
    .map(({ start, state, runId, reason }) => [
      startText(start),
      state,
      runId ?? '',
      reason.split('\n', 1)[0]!,
    ]);
  const more = intervals.length - rows.length;
  return `${textTable(['INTERVAL', 'STATE', 'RUN', 'WHY'], rows)}${more > 0 ? `\n… and ${more} more; --json prints them all` : ''}`;
}

/** A backfill that continued as new has many executions: Temporal leads from the first to the others. */
export function backfillLink(session: Session, { workflowId, backfillId }: BackfillHandle): string | null {
  return linkTo(session, { workflowId, runId: backfillId });
}

/** How it stands, and every interval that did not succeed. */
async function printBackfill(
  cli: Cli,
  session: Session,
  ledger: Ledger,
  backfill: BackfillRecord,
  json: boolean,
): Promise<void> {
  const link = backfillLink(session, backfill);
  if (json) {
    const intervals = await ledger.backfillIntervals(backfill.backfillId);
    const unchanged = await ledger.leftUnchanged(backfill.backfillId);
    return cli.print(JSON.stringify({ backfill, intervals, unchanged, link }));
  }
  const { workflowId, backfillId, reprocess, maxActiveRuns, state, createdAt, endedAt } = backfill;
  cli.print(
    `${pc.bold(workflowId)}  ${backfillStateText(state)}  ${countsText(backfill)}  ${elapsed(createdAt, endedAt)}`,
  );
  cli.print(
    pc.dim(
      `backfill ${backfillId}  ${rangeText(backfill)}  reprocess ${reprocess}  at most ${maxActiveRuns} runs at a time`,
    ),
  );
  const left = await ledger.leftUnchanged(backfillId);
  if (left.tasks > 0)
    cli.print(
      `left alone as unchanged: ${count(left.partitions)} partitions, in ${count(left.tasks)} tasks of ${count(left.runs)} runs`,
    );
  const unsuccessful = await ledger.backfillIntervals(backfillId, { states: ['failed', 'cancelled'] });
  if (unsuccessful.length > 0) cli.print(`\n${unsuccessfulTable(unsuccessful)}`);
  const runs = listLink(session, `IngotBackfill = '${backfillId}'`);
  if (link !== null) cli.print(`\n${link}`);
  if (runs !== null) cli.print(`its runs: ${runs}`);
}

/** Follows a backfill, says what came of it, and ends with the exit code for it. */
export async function followToEnd(
  cli: Cli,
  session: Session,
  ledger: Ledger,
  { backfillId, workflowId }: BackfillHandle,
  json: boolean,
): Promise<void> {
  try {
    const backfill = await followBackfill(cli, ledger, backfillId);
    await printBackfill(cli, session, ledger, backfill, json);
    if (backfill.state !== 'success') throw new ExitError(1);
  } catch (error) {
    if (cli.signal.aborted)
      cli.note(
        `${workflowId} goes on while the stack is up; \`ingot backfill cancel ${workflowId}\` ends it.`,
      );
    throw error;
  }
}

export async function backfillShow(cli: Cli, text: string, { json = false }: JsonFlag): Promise<void> {
  const open = await withSession(cli, { temporal: false }, async (session) => {
    const { ledger } = await session.readers();
    const backfill = await findBackfill(ledger, text);
    if (backfill.endedAt === null && !json) return backfill;
    await printBackfill(cli, session, ledger, backfill, json);
    return null;
  });
  if (open === null) return;
  await withSession(cli, { temporal: true }, async (session) => {
    const { ledger } = await session.readers();
    await followToEnd(cli, session, ledger, open, json);
  });
}

interface Change {
  readonly ask: typeof pauseBackfill;
  /** What the ledger says once it was done. */
  readonly done: (backfill: BackfillRecord) => boolean;
  readonly withinMs: number;
}

async function change(cli: Cli, text: string, { json = false }: JsonFlag, how: Change): Promise<void> {
  await withSession(cli, { temporal: true }, async (session) => {
    const { ledger } = await session.readers();
    const found = await findBackfill(ledger, text);
    if (found.endedAt !== null)
      throw new UsageError(
        `expected a backfill that is under way; found ${found.workflowId}, ${found.state} since ${instant(found.endedAt)}.`,
      );
    const { client } = await session.temporal();
    await how.ask(client, found);
    const after = await awaitBackfill(cli, ledger, found.backfillId, how.done, how.withinMs);
    if (json) return cli.print(JSON.stringify(after ?? found));
    if (after === null)
      return cli.print(`${found.workflowId} was asked to; no worker has taken notice of it yet.`);
    cli.print(`${after.workflowId} is ${after.state}: ${countsText(after)}.`);
  });
}

const noticedWithinMs = 30_000;

export function backfillPause(cli: Cli, text: string, flags: JsonFlag): Promise<void> {
  const done = ({ state, endedAt }: BackfillRecord): boolean => state === 'paused' || endedAt !== null;
  return change(cli, text, flags, { ask: pauseBackfill, done, withinMs: noticedWithinMs });
}

export function backfillResume(cli: Cli, text: string, flags: JsonFlag): Promise<void> {
  const done = ({ state }: BackfillRecord): boolean => state !== 'paused';
  return change(cli, text, flags, { ask: resumeBackfill, done, withinMs: noticedWithinMs });
}

/** A run that does not listen is given up after a minute. */
const endedWithinMs = 150_000;

export function backfillCancel(cli: Cli, text: string, flags: JsonFlag): Promise<void> {
  const done = ({ endedAt }: BackfillRecord): boolean => endedAt !== null;
  return change(cli, text, flags, { ask: cancelBackfill, done, withinMs: endedWithinMs });
}
