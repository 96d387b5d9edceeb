import type { RunnableDag } from '../../activities/boundary.ts';
import {
  backfillRange,
  defaultBackfillRuns,
  mostBackfillRuns,
  reprocessPolicies,
  type Reprocess,
} from '../../dag/backfill.ts';
import type { JsonObject } from '../../dag/json.ts';
import { resolveParams } from '../../dag/params.ts';
import type { Problem } from '../../dag/problems.ts';
import { createBackfill, type NewBackfillRequest } from '../../workers/backfills.ts';
import { wholeNumber } from '../arguments.ts';
import { planBackfill, planText } from '../backfill-plan.ts';
import { UsageError, type Cli } from '../cli.ts';
import { dagNamed } from '../definitions.ts';
import { awaitBackfill } from '../follow-backfill.ts';
import { withSession } from '../session.ts';
import { backfillLink, followToEnd } from './backfill.ts';

export interface BackfillCreateFlags {
  readonly from: string;
  readonly to: string;
  readonly reprocess: string;
  readonly maxActiveRuns?: string;
  readonly backwards?: boolean;
  readonly params?: string;
  readonly skipUnchanged?: boolean;
  readonly dryRun?: boolean;
  readonly detach?: boolean;
  readonly json?: boolean;
}

type Asked = Omit<NewBackfillRequest, 'taskQueue'>;

const begunWithinMs = 10_000;

function refuse(problems: readonly Problem[]): UsageError {
  return new UsageError(problems.map(({ place, message }) => `${place}: ${message}`).join('\n'));
}

function reprocessOf(text: string): Reprocess {
  const known = reprocessPolicies.find((policy) => policy === text);
  if (known === undefined)
    throw new UsageError(`expected --reprocess ${reprocessPolicies.join(' | ')}; found ${text}.`);
  return known;
}

function runsOf(text: string | undefined): number {
  if (text === undefined) return defaultBackfillRuns;
  const runs = wholeNumber('--max-active-runs', text);
  if (runs < 1 || runs > mostBackfillRuns)
    throw new UsageError(`expected --max-active-runs from 1 to ${mostBackfillRuns}; found ${text}.`);
  return runs;
}

function objectOf(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`expected --params as a JSON object such as '{"limit": 3}'; found ${text}.`);
  return value as JsonObject;
}

function paramsOf({ plan }: RunnableDag, text: string | undefined): JsonObject {
  const given = text === undefined ? {} : objectOf(text);
  const { problems } = resolveParams(plan, given);
  if (problems.length > 0) throw refuse(problems);
  return given;
}

function askedOf(dag: RunnableDag, flags: BackfillCreateFlags): Asked {
  const range = backfillRange(dag.plan, flags, flags.backwards === true, Date.now());
  if (!('backwards' in range)) throw refuse(range);
  const { schedule, timezone } = dag.plan;
  return {
    ...range,
    dagId: dag.id,
    timetable: { schedule, timezone },
    reprocess: reprocessOf(flags.reprocess),
    maxActiveRuns: runsOf(flags.maxActiveRuns),
    params: paramsOf(dag, flags.params),
    ...(flags.skipUnchanged ? { skipUnchanged: true as const } : {}),
  };
}

async function dryRun(cli: Cli, asked: Asked, json: boolean): Promise<void> {
  await withSession(cli, { temporal: false }, async (session) => {
    const { ledger } = await session.readers();
    const decisions = await planBackfill(ledger, asked);
    cli.print(json ? JSON.stringify(decisions) : planText(decisions, asked.skipUnchanged === true));
  });
}

export async function backfillCreate(cli: Cli, dagId: string, flags: BackfillCreateFlags): Promise<void> {
  const asked = askedOf(await dagNamed(cli, dagId), flags);
  if (flags.dryRun) return dryRun(cli, asked, flags.json === true);
  await withSession(cli, { temporal: true }, async (session) => {
    const [{ client }, { ledger }] = await Promise.all([session.temporal(), session.readers()]);
    const { taskQueue } = session.config;
    const created = await createBackfill(client, { ...asked, taskQueue });
    if (created.joined) cli.note(`${created.workflowId} is under way already: nothing was started.`);
    if (!flags.detach) return followToEnd(cli, session, ledger, created, flags.json === true);
    // From here on `list` and the others know it.
    const begun = await awaitBackfill(cli, ledger, created.backfillId, () => true, begunWithinMs);
    const link = backfillLink(session, created);
    if (flags.json) return cli.print(JSON.stringify({ ...created, link }));
    cli.print(
      `${created.workflowId}${begun === null ? ' waits for a worker' : ` covers ${begun.counts.total} intervals`}; \`ingot backfill show ${created.workflowId}\` follows it.`,
    );
    if (link !== null) cli.print(link);
    if (session.stack?.owned)
      cli.note('The stack ends with this command; the backfill goes on when it is up again (`ingot dev`).');
  });
}
