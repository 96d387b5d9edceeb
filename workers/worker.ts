import { hostname } from 'node:os';
import {
  GracefulShutdownPeriodExpiredError,
  NativeConnection,
  Worker,
  type NativeConnectionOptions,
  type WorkerOptions,
} from '@temporalio/worker';
import { createActivities } from '../activities/boundary.ts';
import type { Ports } from '../activities/task-context.ts';
import { defaultQueue, everyQueue, namedQueues, taskQueueOf } from '../dag/queues.ts';
import type { AlertChannels } from '../ports/alert-steps.ts';
import type { Definitions } from './definitions.ts';
import { openHeart } from './heart.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { workflowBundle } from './workflow-bundle.ts';

export interface WorkerSettings {
  readonly connection: NativeConnectionOptions;
  readonly namespace: string;
  /** Temporal's task queue of the default queue; that of another is `<taskQueue>.<queue>`. */
  readonly taskQueue: string;
  /** Queues to take attempts from; `['default']` unless told, `*` for all the DAGs name. Only who polls the default one runs workflows. */
  readonly queues?: readonly string[];
  readonly definitions: Definitions;
  readonly ports: Ports;
  /** Which code this is; kept with every run and publication. */
  readonly build: string;
  /** Name of Temporal's Worker Deployment this worker is a version of, its build the version: runs stay with the version that began them. */
  readonly deployment?: string | null;
  /** Bundled workflow code is kept here. */
  readonly cacheFolder: string;
  /** Attempts at the same time, of each queue; 20 unless told. */
  readonly maxConcurrentTasks?: number;
  /** How long, and how often, an alert is tried to deliver; for a day unless told. */
  readonly alertRetry?: AlertChannels['retry'];
  /** How long running attempts may go on after a stop was asked for; 10 seconds unless told. Then they start again elsewhere. */
  readonly drainMs?: number;
}

export interface OpenWorker {
  /**
   * Works until `shutdown`; resolves once everything under way has ended or was handed back. False when something did not
   * let itself be ended: Temporal gives it to another worker once its heartbeat is missed.
   */
  run(): Promise<boolean>;
  shutdown(): void;
  readonly identity: string;
}

/** Heartbeats leave at most this often, and a cancellation reaches an attempt with the answer to one. */
const heartbeatThrottleMs = 2000;
const defaultDrainMs = 10_000;
/** What attempts and steps may take to end after the drain, before the worker goes without them. */
const forceMs = 10_000;

/** Task queues to poll, that of the default queue first if it is one of them. */
export function polledTaskQueues({ queues, taskQueue, definitions }: WorkerSettings): string[] {
  const asked = new Set(queues ?? [defaultQueue]);
  if (asked.delete(everyQueue)) {
    asked.add(defaultQueue);
    for (const name of namedQueues([...definitions.values()].map(({ plan }) => plan))) asked.add(name);
  }
  const first = asked.delete(defaultQueue) ? [defaultQueue] : [];
  return [...first, ...[...asked].sort()].map((queue) => taskQueueOf(taskQueue, queue));
}

function versioning({ deployment, build }: WorkerSettings): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (deployment === undefined || deployment === null) return {};
  return {
    workerDeploymentOptions: {
      useWorkerVersioning: true,
      version: { deploymentName: deployment, buildId: build },
      defaultVersioningBehavior: 'PINNED',
    },
  };
}

/** Until all have ended; when one breaks, the others are stopped, and its error is the answer. */
async function runTogether(workers: readonly Worker[], shutdown: () => void): Promise<boolean> {
  const endings = workers.map((worker) =>
    worker.run().catch((error: unknown) => {
      shutdown();
      throw error;
    }),
  );
  const errors = (await Promise.allSettled(endings)).flatMap((ending) =>
    ending.status === 'rejected' ? [ending.reason as Error] : [],
  );
  const broken = errors.find((error) => !(error instanceof GracefulShutdownPeriodExpiredError));
  if (broken !== undefined) throw broken;
  return errors.length === 0;
}

/** Connects, makes sure of the search attributes, and registers workflows and activities. The ports stay the caller's to close. */
export async function openWorker(settings: WorkerSettings): Promise<OpenWorker> {
  const { namespace, taskQueue, definitions, ports, build } = settings;
  const identity = `${process.pid}@${hostname()}`;
  const codePath = await workflowBundle(settings.cacheFolder);
  const connection = await NativeConnection.connect(settings.connection);
  const heart = openHeart(settings.connection, namespace);
  const close = async (): Promise<void> => {
    await heart[Symbol.asyncDispose]();
    await connection.close();
  };
  try {
    await registerSearchAttributes(connection, namespace);
    const drainMs = settings.drainMs ?? defaultDrainMs;
    const options: Omit<WorkerOptions, 'taskQueue'> = {
      connection,
      namespace,
      identity,
      activities: createActivities({
        definitions,
        ports,
        build,
        worker: identity,
        keepAlive: heart.keepAlive,
        ...(settings.alertRetry === undefined ? {} : { alertRetry: settings.alertRetry }),
      }),
      maxConcurrentActivityTaskExecutions: settings.maxConcurrentTasks ?? 20,
      maxHeartbeatThrottleInterval: heartbeatThrottleMs,
      defaultHeartbeatThrottleInterval: heartbeatThrottleMs,
      ...versioning(settings),
      shutdownGraceTime: drainMs,
      shutdownForceTime: drainMs + forceMs,
    };
    const workflows: Partial<WorkerOptions> = {
      workflowBundle: { codePath },
      maxCachedWorkflows: 200,
      // A run whose worker died goes on elsewhere after this.
      stickyQueueScheduleToStartTimeout: 5000,
    };
    const workers: Worker[] = [];
    for (const queue of polledTaskQueues(settings))
      workers.push(
        await Worker.create({ ...options, ...(queue === taskQueue ? workflows : {}), taskQueue: queue }),
      );
    let stopping = false;
    const shutdown = (): void => {
      stopping = true;
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    };
    return {
      identity,
      shutdown,
      run: async () => {
        try {
          const running = runTogether(workers, shutdown);
          if (stopping) shutdown();
          return await running;
        } finally {
          await close();
        }
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
