import { hostname } from 'node:os';
import { NativeConnection, Worker, type NativeConnectionOptions } from '@temporalio/worker';
import { createActivities } from '../activities/boundary.ts';
import type { Ports } from '../activities/task-context.ts';
import type { AlertChannels } from '../ports/alert-steps.ts';
import type { Definitions } from './definitions.ts';
import { openHeart } from './heart.ts';
import { registerSearchAttributes } from './search-attributes.ts';
import { workflowBundle } from './workflow-bundle.ts';

export interface WorkerSettings {
  readonly connection: NativeConnectionOptions;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly definitions: Definitions;
  readonly ports: Ports;
  /** Which code this is; kept with every run and publication. */
  readonly build: string;
  /** Bundled workflow code is kept here. */
  readonly cacheFolder: string;
  /** Attempts at the same time; 20 unless told. */
  readonly maxConcurrentTasks?: number;
  /** How long, and how often, an alert is tried to deliver; for a day unless told. */
  readonly alertRetry?: AlertChannels['retry'];
  /** How long running attempts may go on after a stop was asked for; 10 seconds unless told. Then they start again elsewhere. */
  readonly drainMs?: number;
}

export interface OpenWorker {
  /** Works until `shutdown`, or SIGINT or SIGTERM; resolves once everything under way has ended. */
  run(): Promise<void>;
  shutdown(): void;
  readonly identity: string;
}

/** Heartbeats leave at most this often, and a cancellation reaches an attempt with the answer to one. */
const heartbeatThrottleMs = 2000;

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
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue,
      identity,
      workflowBundle: { codePath },
      activities: createActivities({
        definitions,
        ports,
        build,
        worker: identity,
        keepAlive: heart.keepAlive,
        ...(settings.alertRetry === undefined ? {} : { alertRetry: settings.alertRetry }),
      }),
      maxConcurrentActivityTaskExecutions: settings.maxConcurrentTasks ?? 20,
      maxCachedWorkflows: 200,
      maxHeartbeatThrottleInterval: heartbeatThrottleMs,
      defaultHeartbeatThrottleInterval: heartbeatThrottleMs,
      // A run whose worker died goes on elsewhere after this.
      stickyQueueScheduleToStartTimeout: 5000,
      shutdownGraceTime: settings.drainMs ?? 10_000,
    });
    let stopping = false;
    const shutdown = (): void => {
      stopping = true;
      if (worker.getState() === 'RUNNING') worker.shutdown();
    };
    return {
      identity,
      shutdown,
      run: async () => {
        try {
          const running = worker.run();
          if (stopping) shutdown();
          await running;
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
