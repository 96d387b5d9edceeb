import { activityInfo, Context, log } from '@temporalio/activity';
import { earlierRevision, packEarlier, packPlan, textParts } from '../dag/carried.ts';
import { instantOfText } from '../dag/interval.ts';
import type { Json } from '../dag/json.ts';
import { canonicalJson } from '../dag/json.ts';
import { resolveParams } from '../dag/params.ts';
import type { Plan } from '../dag/plan.ts';
import type { TriggeringEvents } from '../dag/reducer.ts';
import type { AssetRun } from '../ports/assets.ts';
import type { Catalog } from '../ports/catalog.ts';
import { RetryableError, RunClosedError, SnapshotConflictError, TerminalError } from '../ports/errors.ts';
import type { Ledger, Manifest, ParkedPart, RunRecord, RunType } from '../ports/ledger.ts';
import type { Measurement, Metrics } from '../ports/metrics.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type {
  BeginRunRequest,
  BegunRun,
  EndedRun,
  EndRunRequest,
  FailureDetails,
  Followed,
  PlanPart,
  PublishStep,
  RecordRequest,
  RunRequest,
  RunSteps,
} from '../ports/run-steps.ts';
import type { RunFacts } from '../dag/reducer.ts';
import type { RunnableDag } from './boundary.ts';
import { followPublication } from './follow-ledger.ts';
import { readEarlier, recordCarried, refuseUnfit, type Resumed } from './resume-run.ts';
import {
  measurementsOfAttempts,
  measurementsOfPublication,
  measurementsOfQuality,
  measurementsOfRun,
} from './measurements.ts';
import { businessFailure, infrastructureFailure } from './failures.ts';

const runTypes: ReadonlySet<RunType> = new Set(['scheduled', 'manual', 'backfill', 'event']);

interface Parts {
  readonly definitions: ReadonlyMap<string, RunnableDag>;
  readonly ledger: Ledger;
  readonly objects: ObjectStore;
  readonly catalog?: Catalog;
  readonly metrics?: Metrics;
  readonly build: string;
}

/** A longer plan or earlier run, as JSON text, does not go into one message. */
const maxText = 256 * 1024;

/** Tries after which an error that does not say of itself that trying again helps is taken for a defect. */
const triesOfTheUnknown = 10;

/**
 * A definite answer of the ledger goes to the run. That it cannot be reached is the infrastructure's affair, which Temporal
 * tries again for as long as it takes.
 */
export async function step<T>(perform: () => Promise<T>, told?: Pick<FailureDetails, 'alert'>): Promise<T> {
  try {
    return await perform();
  } catch (error) {
    if (error instanceof RetryableError) throw infrastructureFailure('LedgerUnavailable', error);
    const isDefinite = error instanceof TerminalError || error instanceof SnapshotConflictError;
    if (isDefinite || activityInfo().attempt >= triesOfTheUnknown) throw businessFailure(error, null, told);
    throw infrastructureFailure(error instanceof Error ? error.name : 'Error', error);
  }
}

/** The run's own plan in place of today's, and its params as they were. */
async function resumeOf(ledger: Ledger, begin: BeginRunRequest): Promise<Resumed | null> {
  const { resume } = begin.request;
  return resume === undefined ? null : readEarlier(ledger, begin, resume);
}

function paramsOf(dag: RunnableDag, { dagId, request }: BeginRunRequest) {
  const { values, problems } = resolveParams(dag.plan, request.params);
  if (problems.length === 0) return values;
  throw new TerminalError({
    place: `a run of ${dagId}`,
    expected: 'params that fit their declarations',
    found: problems.map((each) => `${each.place}: ${each.message}`).join('; '),
    remedy: 'Start the run again with params that fit.',
  });
}

/** A run can be started with anything, as from the Temporal UI. */
function checkRequest({ dagId, request }: { readonly dagId: string; readonly request: unknown }): void {
  const { type, interval, params } = (request ?? {}) as Partial<RunRequest>;
  const start = instantOfText(interval?.start, 'UTC');
  const end = instantOfText(interval?.end, 'UTC');
  const isObject = typeof params === 'object' && params !== null && !Array.isArray(params);
  if (runTypes.has(type!) && isObject && start !== null && end !== null && start < end) return;
  throw new TerminalError({
    place: `a run of ${dagId}`,
    expected:
      '{ type: scheduled, manual, backfill or event, interval: { start, end }, params: {} } with RFC 3339 instants',
    found: JSON.stringify(request) ?? 'no input',
    remedy: 'Start runs with `ingot run`, or give such an input.',
  });
}

function triggeringEvents({ number, assets }: AssetRun): TriggeringEvents {
  return { number, count: assets.reduce((total, { count }) => total + count, 0), assets };
}

/** Number of the event run that is carried on, from the first try of this step on by the new run; null for one that assets did not start. */
async function eventsOf(ledger: Ledger, runId: string, resumed: Resumed | null): Promise<number | null> {
  if (resumed === null) return null;
  const run = (await ledger.assetRunOf(runId)) ?? (await ledger.assetRunOf(resumed.from.runId));
  return run?.number ?? null;
}

/** The earlier run itself, or in how many parts the ledger has it for the interpreter. */
async function handed(
  ledger: Ledger,
  runId: string,
  { earlier }: Resumed,
): Promise<Resumed['earlier'] | { readonly parts: number }> {
  if (JSON.stringify(earlier).length <= maxText) return earlier;
  const parts = textParts(packEarlier(earlier));
  for (const [part, text] of parts.entries())
    await ledger.parkProgress({ runId, revision: earlierRevision, part }, text);
  return { parts: parts.length };
}

async function beginRun({ definitions, ledger, build }: Parts, begin: BeginRunRequest): Promise<BegunRun> {
  const dag = definitions.get(begin.dagId);
  if (dag === undefined || (begin.request.planHash ?? dag.hash) !== dag.hash) return { known: false };
  const { type, interval, resume } = begin.request;
  const { runId, workflowId, dagId, startedAt } = begin;
  const resumed = await resumeOf(ledger, begin);
  const params = resumed?.from.params ?? paramsOf(dag, begin);
  const own = resumed === null ? dag : { plan: resumed.plan, hash: resumed.from.planHash };
  const facts: RunFacts = {
    run: { id: runId, type },
    interval: { ...interval, logicalDate: interval.start },
    params,
  };
  if (resumed !== null) refuseUnfit(resumed, facts, resume!);
  // That of a worker with another version of the DAG, which began the run and died at once, is the run's.
  const recorded = await ledger.beginRun({
    runId,
    workflowId,
    dagId,
    type,
    logicalDate: interval.start,
    intervalStart: interval.start,
    intervalEnd: interval.end,
    params,
    plan: own.plan,
    planHash: own.hash,
    build,
    startedAt,
  });
  if (resumed !== null) await recordCarried(ledger, begin, resumed, resume!);
  const events = begin.request.events ?? (await eventsOf(ledger, runId, resumed));
  if (events !== null) await ledger.assetRunBegun(dagId, events, runId);
  const given = events === null ? null : await ledger.assetRun(dagId, events);
  const plan = recorded === own.hash ? own.plan : await ledger.plan(recorded);
  if (plan === null)
    throw new Error(`The ledger holds no plan ${recorded}, which run ${runId} was begun with.`);
  return {
    known: true,
    plan: JSON.stringify(plan).length > maxText ? null : plan,
    planHash: recorded,
    facts: {
      ...facts,
      ...(given === null ? {} : { triggeringEvents: triggeringEvents(given) }),
      ...(begin.request.skipUnchanged === true ? { skipUnchanged: true as const } : {}),
    },
    admission: await ledger.admitRun(runId),
    ...(resumed === null
      ? {}
      : { resumed: { earlier: await handed(ledger, runId, resumed), change: resume!.change } }),
  };
}

/** A run that is refused tells whom its failure would be told, as far as it is known which run that is. */
async function beginOrRefuse(parts: Parts, begin: BeginRunRequest): Promise<BegunRun> {
  await step(async () => checkRequest(begin));
  const alert = parts.definitions.get(begin.dagId)?.plan.alerts?.onFailure;
  return step(() => beginRun(parts, begin), alert === undefined ? {} : { alert });
}

/** Numbers are never worth a failed step. */
function tell(metrics: Metrics, measurements: readonly Measurement[]): void {
  try {
    metrics.record(measurements);
  } catch (error) {
    log.warn('not measured', { error: String(error) });
  }
}

/** Numbers about what the ledger has accepted. Where they cannot be had, the step goes on without. A step that is repeated counts again. */
async function measure(
  { metrics, ledger }: Parts,
  runId: string,
  of: (run: RunRecord) => Measurement[],
): Promise<void> {
  if (metrics === undefined) return;
  const run = await ledger.run(runId).catch((error: unknown) => {
    log.warn('not measured', { runId, error: String(error) });
    return null;
  });
  if (run !== null) tell(metrics, of(run));
}

async function record(parts: Parts, request: RecordRequest): Promise<Followed | void> {
  const { ledger } = parts;
  const { runId, attempts, events, held } = request;
  await ledger.recordAttempts(runId, attempts, events);
  if (held !== undefined) await ledger.holdRun(runId, held);
  if (attempts.length > 0)
    await measure(parts, runId, ({ dagId }) => measurementsOfAttempts(dagId, attempts));
  return followed(
    ledger,
    events.flatMap(({ kind, payload }) => (kind === 'asset' ? [payload['asset'] as string] : [])),
  );
}

/** Part of the packed plan of a hash: the same text whichever worker is asked. */
async function readPlan(
  { definitions, ledger }: Parts,
  { hash, part }: { readonly hash: string; readonly part: number },
): Promise<PlanPart> {
  const own = [...definitions.values()].find((dag) => dag.hash === hash)?.plan;
  const plan = own ?? (await ledger.plan(hash));
  if (plan === null) throw new Error(`The ledger holds no plan ${hash}, though a run of it was begun.`);
  const texts = textParts(packPlan(JSON.parse(canonicalJson(plan as unknown as Json)) as Plan));
  return { text: texts[part]!, parts: texts.length };
}

async function readProgress(ledger: Ledger, part: ParkedPart): Promise<string> {
  const content = await ledger.parkedProgress(part);
  if (content !== null) return content;
  throw new TerminalError({
    place: `run ${part.runId}`,
    expected: `its progress, parked as revision ${part.revision}, part ${part.part}`,
    found: 'none in the ledger',
    remedy: 'The run was closed, or the ledger was restored to before: start a new run of the interval.',
  });
}

async function endRun(parts: Parts, end: EndRunRequest): Promise<EndedRun> {
  const { ledger } = parts;
  const told = await record(parts, end);
  const outcome = await ledger.endRun(end.runId, end.outcome, end.endedAt, end.failure);
  await measure(parts, end.runId, ({ dagId, startedAt, endedAt }) =>
    measurementsOfRun({ dagId, startedAt, outcome, endedAt: endedAt ?? end.endedAt }),
  );
  const ended = { outcome, nextQueued: await ledger.nextQueued(end.runId), ...told };
  return end.dependsOnPast ? { ...ended, followers: await ledger.followers(end.runId) } : ended;
}

async function followed(ledger: Ledger, assets: readonly string[]): Promise<Followed | void> {
  const wake = assets.length === 0 ? [] : await ledger.assetFollowers([...new Set(assets)]);
  return wake.length === 0 ? undefined : { wake };
}

async function readParked(objects: ObjectStore, key: string): Promise<Manifest> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of objects.get(key)) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Manifest;
}

async function publish(parts: Parts, request: PublishStep): Promise<Followed | void> {
  const { ledger, objects, catalog, metrics, build } = parts;
  const { content } = request.staged;
  const manifest = 'manifest' in content ? content.manifest : await readParked(objects, content.key);
  const publishedAt = new Date().toISOString();
  try {
    await ledger.publish({
      runId: request.runId,
      taskId: request.taskId,
      mapIndex: request.mapIndex ?? -1,
      attempt: request.attempt,
      build,
      manifest,
      publishedAt,
    });
  } catch (error) {
    // A rule that blocks publishing is what quality is watched for.
    const isRefused = error instanceof TerminalError && !(error instanceof RunClosedError);
    if (isRefused && metrics !== undefined) tell(metrics, measurementsOfQuality(manifest.rules, publishedAt));
    throw error;
  }
  if (metrics !== undefined) tell(metrics, measurementsOfPublication(manifest, publishedAt));
  const tables = [...new Set(manifest.outputs.map(({ table }) => table))];
  if (catalog !== undefined) {
    const { cancellationSignal } = Context.current();
    await followPublication(catalog, tables, cancellationSignal, log);
  }
  return followed(ledger, tables);
}

/** The interpreter's own activities. Each may be repeated, and says by its error whether the ledger refused or could not be reached. */
export function createRunSteps(
  parts: Parts,
): RunSteps & { readonly publish: (request: PublishStep) => Promise<Followed | void> } {
  return {
    'ingot.beginRun': (request) => beginOrRefuse(parts, request),
    'ingot.record': (request) => step(() => record(parts, request)),
    'ingot.readPlan': (of) => step(() => readPlan(parts, of)),
    'ingot.parkProgress': ({ text, ...part }) => step(() => parts.ledger.parkProgress(part, text)),
    'ingot.readProgress': (part) => step(() => readProgress(parts.ledger, part)),
    'ingot.endRun': (request) => step(() => endRun(parts, request)),
    publish: (request) => step(() => publish(parts, request)),
  };
}
