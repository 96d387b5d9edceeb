import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  CreateJobCommand,
  GetJobCommand,
  GlueClient,
  type Job,
  type JobUpdate,
  UpdateJobCommand,
  type WorkerType,
} from '@aws-sdk/client-glue';
import type { ObjectStore } from '../../ports/object-store.ts';
import { type AwsOptions, clientOptions } from '../aws/client-options.ts';
import { glueError, isNotFound } from './errors.ts';

export interface GlueJobOptions extends AwsOptions {
  readonly jobName: string;
  /** ARN of the role the job runs as. */
  readonly role: string;
  readonly objects: ObjectStore;
  /** `G.1X` and its kin. */
  readonly workerType: string;
  readonly workers: number;
  /** Runs of the job at once; more are told to wait. */
  readonly maxConcurrentRuns: number;
  /** Of every run, over the product's own: `--conf`, `--enable-metrics` and the like. */
  readonly defaultArguments?: Readonly<Record<string, string>>;
}

export interface EnsuredGlueJob {
  readonly job: 'created' | 'updated' | 'unchanged';
  /** Fields of the definition that were changed. */
  readonly changes: readonly string[];
  /** Key of the script, named by its content: runs under way keep the one they began with. */
  readonly scriptKey: string;
}

const runner = join(import.meta.dirname, '../../infra/glue/runner.py');
/** Minutes of a run whose start names none; every start of ours does. */
const timeoutMinutes = 24 * 60;

async function runnerScript(): Promise<{ readonly script: Uint8Array; readonly key: string }> {
  const script = await readFile(runner);
  const hash = createHash('sha256').update(script).digest('hex').slice(0, 16);
  return { script, key: `scripts/runner-${hash}.py` };
}

async function storeScript(objects: ObjectStore): Promise<string> {
  const { script, key } = await runnerScript();
  await objects.put(key, script, { ifAbsent: true });
  return key;
}

function definition(options: GlueJobOptions, scriptLocation: string) {
  return {
    Role: options.role,
    Command: { Name: 'glueetl', PythonVersion: '3', ScriptLocation: scriptLocation },
    GlueVersion: '5.0',
    WorkerType: options.workerType as WorkerType,
    NumberOfWorkers: options.workers,
    // Attempts are counted by the run's own budget: a run that Glue repeats would take part in it unseen.
    MaxRetries: 0,
    Timeout: timeoutMinutes,
    ExecutionProperty: { MaxConcurrentRuns: options.maxConcurrentRuns },
    DefaultArguments: {
      '--job-language': 'python',
      '--enable-auto-scaling': 'true',
      ...options.defaultArguments,
    },
  } satisfies JobUpdate;
}

/** Fields in which the job differs from what it should be; fields we do not set are the operator's. */
function differences(found: Job, wanted: ReturnType<typeof definition>): readonly string[] {
  return Object.entries(wanted)
    .filter(([name, value]) => !isDeepStrictEqual(picked(found[name as keyof Job], value), value))
    .map(([name]) => name);
}

/** Glue adds fields of its own to the command; default arguments are ours as a whole. */
function picked(found: unknown, wanted: unknown): unknown {
  if (typeof wanted !== 'object' || wanted === null || !('ScriptLocation' in wanted)) return found;
  const fields = (found ?? {}) as Record<string, unknown>;
  return Object.fromEntries(Object.keys(wanted).map((name) => [name, fields[name]]));
}

async function findJob(glue: GlueClient, name: string): Promise<Job | null> {
  try {
    return (await glue.send(new GetJobCommand({ JobName: name }))).Job ?? null;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw glueError(error, 'GetJob', `Glue job ${name}`);
  }
}

/** Fields in which the job is not what `ensureGlueJob` would make it; null when there is no job. Changes nothing. */
export async function glueJobDifferences(options: GlueJobOptions): Promise<readonly string[] | null> {
  const { key } = await runnerScript();
  const glue = new GlueClient(clientOptions(options));
  try {
    const found = await findJob(glue, options.jobName);
    return found === null ? null : differences(found, definition(options, options.objects.location(key)));
  } finally {
    glue.destroy();
  }
}

/** Stores the runner's script and makes the Glue job of every SQL model what it should be. Done twice, the second time changes nothing. */
export async function ensureGlueJob(options: GlueJobOptions): Promise<EnsuredGlueJob> {
  const { jobName, objects } = options;
  const scriptKey = await storeScript(objects);
  const wanted = definition(options, objects.location(scriptKey));
  const glue = new GlueClient(clientOptions(options));
  try {
    const found = await findJob(glue, jobName);
    const changes = found === null ? Object.keys(wanted) : differences(found, wanted);
    if (found === null) await create(glue, jobName, wanted);
    else if (changes.length > 0) await update(glue, jobName, wanted, found);
    const job = found === null ? 'created' : changes.length > 0 ? 'updated' : 'unchanged';
    return { job, changes, scriptKey };
  } finally {
    glue.destroy();
  }
}

async function create(glue: GlueClient, name: string, wanted: JobUpdate): Promise<void> {
  try {
    await glue.send(
      new CreateJobCommand({ ...wanted, Name: name, Role: wanted.Role, Command: wanted.Command }),
    );
  } catch (error) {
    throw glueError(error, 'CreateJob', `Glue job ${name}`);
  }
}

/** An update replaces the definition as a whole: what an operator has added stays. */
async function update(glue: GlueClient, name: string, wanted: JobUpdate, found: Job): Promise<void> {
  const { Description, Connections, SecurityConfiguration, NotificationProperty, LogUri } = found;
  const kept = { Description, Connections, SecurityConfiguration, NotificationProperty, LogUri };
  try {
    await glue.send(new UpdateJobCommand({ JobName: name, JobUpdate: { ...kept, ...wanted } }));
  } catch (error) {
    throw glueError(error, 'UpdateJob', `Glue job ${name}`);
  }
}
