import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { startScript, type RunningScript } from '../spark/spark-scripts.ts';
import type { WarmSpark } from '../spark/warm-spark.ts';
import { ServiceError, type Fields, type Handlers } from './call.ts';
import type { EmulatorCalls } from './emulator-calls.ts';
import { sendJobEvent, type EndState } from './glue-job-events.ts';
import type { GlueJobs, JobDefinition } from './glue-jobs.ts';
import { fields, limitedList, page, seconds, text, texts } from './named-input.ts';

type State = 'STARTING' | 'RUNNING' | 'STOPPING' | EndState;

interface JobRun {
  readonly id: string;
  readonly job: JobDefinition;
  readonly input: Fields;
  readonly startedAt: number;
  state: State;
  changedAt: number;
  completedAt: number | null;
  isEnding: boolean;
  error: string | null;
  script: RunningScript | null;
  timer: NodeJS.Timeout | null;
}

export interface JobRunOptions {
  readonly jobs: GlueJobs;
  readonly emulator: EmulatorCalls;
  /** The one Spark of the test run, started by the first job. */
  readonly spark: () => Promise<WarmSpark>;
  readonly python: string;
  readonly folder: string;
  readonly token: string;
}

const open: readonly State[] = ['STARTING', 'RUNNING', 'STOPPING'];
/** Read by Glue itself; the script sees the others. */
const ofGlue = ['--extra-py-files', '--extra-files', '--additional-python-modules'];

function described(run: JobRun): Fields {
  const { job, input } = run;
  const { GlueVersion, MaxCapacity, NumberOfWorkers, WorkerType } = { ...job, ...input } as Fields;
  const end = run.completedAt ?? Date.now();
  return {
    Id: run.id,
    Attempt: 0,
    JobName: job.Name,
    StartedOn: seconds(run.startedAt),
    LastModifiedOn: seconds(run.changedAt),
    ...(run.completedAt === null ? {} : { CompletedOn: seconds(run.completedAt) }),
    JobRunState: run.state,
    ...(run.error === null ? {} : { ErrorMessage: run.error }),
    Arguments: fields(input, 'Arguments'),
    PredecessorRuns: [],
    ExecutionTime: run.state === 'STARTING' ? 0 : Math.round((end - run.startedAt) / 1000),
    Timeout: Number(input['Timeout'] ?? job['Timeout']),
    LogGroupName: '/aws-glue/jobs',
    GlueVersion,
    MaxCapacity,
    NumberOfWorkers,
    WorkerType,
  };
}

function argumentsOf({ job, input, id }: JobRun): Readonly<Record<string, string>> {
  return {
    ...texts(job, 'DefaultArguments'),
    ...texts(input, 'Arguments'),
    ...texts(job, 'NonOverridableArguments'),
    '--JOB_NAME': job.Name,
    '--JOB_RUN_ID': id,
  };
}

/** Glue job runs that run: the script, as it lies on S3, as a PySpark process. */
export class GlueJobRuns {
  readonly #options: JobRunOptions;
  readonly #runs = new Map<string, JobRun>();

  constructor(options: JobRunOptions) {
    this.#options = options;
  }

  readonly handlers: Handlers = {
    'glue:StartJobRun': (input) => ({ JobRunId: this.#start(input).id }),
    'glue:GetJobRun': (input) => ({ JobRun: described(this.#find(text(input, 'RunId'))) }),
    'glue:GetJobRuns': (input) => {
      const { Name } = this.#options.jobs.get(text(input, 'JobName'));
      const { items, next } = page(input, this.#ofJob(Name).toReversed(), 200);
      return { JobRuns: items.map(described), ...next };
    },
    'glue:BatchStopJobRun': (input) => {
      const JobName = text(input, 'JobName');
      const ids = limitedList<string>(input, 'JobRunIds', 25);
      const answers = ids.map((id) => ({ id, error: this.#stop(JobName, id) }));
      return {
        SuccessfulSubmissions: answers
          .filter(({ error }) => error === null)
          .map(({ id }) => ({ JobName, JobRunId: id })),
        Errors: answers
          .filter(({ error }) => error !== null)
          .map(({ id, error }) => ({ JobName, JobRunId: id, ErrorDetail: error })),
      };
    },
  };

  readonly controls: Handlers = {
    'end-job-run': async ({ jobRunId, state, message }) => {
      await this.#end(
        this.#find(String(jobRunId)),
        state as EndState,
        (message as string | undefined) ?? null,
      );
      return {};
    },
    'forget-job-run': async ({ jobRunId }) => {
      const run = this.#find(String(jobRunId));
      this.#runs.delete(run.id);
      if (run.timer !== null) clearTimeout(run.timer);
      await run.script?.kill();
      return {};
    },
  };

  async close(): Promise<void> {
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    for (const { timer } of runs) if (timer !== null) clearTimeout(timer);
    await Promise.all(runs.map(async ({ script }) => await script?.kill()));
  }

  #ofJob(name: string): JobRun[] {
    return [...this.#runs.values()].filter(({ job }) => job.Name === name);
  }

  #find(id: string): JobRun {
    const run = this.#runs.get(id);
    if (run === undefined)
      throw new ServiceError('EntityNotFoundException', `Failed to find job run with id: ${id}`);
    return run;
  }

  #start(input: Fields): JobRun {
    const job = this.#options.jobs.get(text(input, 'JobName'));
    const most = Number(fields(job, 'ExecutionProperty')['MaxConcurrentRuns'] ?? 1);
    if (this.#ofJob(job.Name).filter(({ state }) => open.includes(state)).length >= most)
      throw new ServiceError('ConcurrentRunsExceededException', `Concurrent runs exceeded for ${job.Name}`);
    const now = Date.now();
    const run: JobRun = {
      id: `jr_${randomBytes(32).toString('hex')}`,
      job,
      input,
      startedAt: now,
      state: 'STARTING',
      changedAt: now,
      completedAt: null,
      isEnding: false,
      error: null,
      script: null,
      timer: null,
    };
    this.#runs.set(run.id, run);
    void this.#perform(run).catch((error: unknown) => this.#end(run, 'FAILED', String(error)));
    return run;
  }

  async #perform(run: JobRun): Promise<void> {
    const { emulator, python, folder, spark } = this.#options;
    const args = argumentsOf(run);
    const read = async (uri: string) => ({ name: basename(uri), text: await emulator.readObject(uri) });
    const modules = (args['--extra-py-files'] ?? '').split(',').filter((uri) => uri !== '');
    const spec = {
      runId: run.id,
      script: await read(text(fields(run.job, 'Command'), 'ScriptLocation')),
      modules: await Promise.all(modules.map(read)),
      args: Object.entries(args)
        .filter(([name]) => !ofGlue.includes(name))
        .flat(),
      python,
      folder,
      spark: await spark(),
    };
    if (run.state !== 'STARTING' || !this.#runs.has(run.id)) return;
    run.script = await startScript(spec);
    // It may have been stopped, or forgotten, while its process came up.
    if ((run.state as State) !== 'STARTING' || run.isEnding || !this.#runs.has(run.id))
      return await run.script.kill();
    run.state = 'RUNNING';
    run.changedAt = Date.now();
    const minutes = Number(run.input['Timeout'] ?? run.job['Timeout']);
    run.timer = setTimeout(() => void this.#end(run, 'TIMEOUT', null), minutes * 60_000);
    run.timer.unref();
    const error = await run.script.ended;
    await this.#end(run, error === null ? 'SUCCEEDED' : 'FAILED', error);
  }

  #stop(jobName: string, id: string): Fields | null {
    const run = this.#runs.get(id);
    if (run === undefined || run.job.Name !== jobName)
      return { ErrorCode: 'EntityNotFoundException', ErrorMessage: `Failed to find job run with id: ${id}` };
    if (!open.includes(run.state))
      return { ErrorCode: 'InvalidInputException', ErrorMessage: `Job run ${id} is not running` };
    run.state = 'STOPPING';
    run.changedAt = Date.now();
    void this.#end(run, 'STOPPED', null);
    return null;
  }

  /** Kills what runs, then says how it ended; the first end counts. */
  async #end(run: JobRun, state: EndState, error: string | null): Promise<void> {
    if (run.isEnding || !this.#runs.has(run.id)) return;
    run.isEnding = true;
    if (run.timer !== null) clearTimeout(run.timer);
    await run.script?.kill();
    run.completedAt = Date.now();
    run.changedAt = run.completedAt;
    run.state = state;
    run.error = error;
    const { emulator, token } = this.#options;
    const ended = { jobName: run.job.Name, jobRunId: run.id, state, error };
    await sendJobEvent(emulator, token, ended).catch((problem: unknown) =>
      console.error(`The event of the end of ${run.id} was lost:`, problem),
    );
  }
}
