import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { RetryableError } from '../../ports/errors.ts';
import { freePorts } from './free-port.ts';
import { startGuarded, type GuardedChild } from './guarded-child.ts';
import { waitUntilReady } from './wait-until.ts';

export interface TemporalServerOptions {
  readonly binary: string;
  /** Holds the database file and the log; created when absent. */
  readonly folder: string;
  /** Wishes: a port that is taken is replaced by a free one. */
  readonly ports?: { readonly grpc?: number; readonly ui?: number };
  /** Without the web UI it starts a little faster. */
  readonly ui: boolean;
  readonly retentionDays: number;
  /** False refuses a taken port in place of choosing another. */
  readonly anyPort?: boolean;
  readonly signal?: AbortSignal;
  /** Called as soon as the program runs, before it answers. */
  readonly onSpawn?: (child: GuardedChild) => Promise<void>;
}

export interface TemporalServer {
  readonly address: string;
  /** Null without UI. */
  readonly uiUrl: string | null;
  readonly ports: { readonly grpc: number; readonly ui: number };
  readonly child: GuardedChild;
  close(): Promise<void>;
}

/**
 * Schedules are workflows of a worker inside the server. With its defaults many that tick in the same minute stall: what two
 * pollers do not take within 5 seconds moves to the other queue, while both stay for a minute at the one they knew to be
 * behind. Of 200 schedules 61 had ticked after 25 seconds; with these values all have after 8, on a machine as busy.
 */
const schedulerConfig = [
  'worker.perNamespaceWorkerOptions={"MaxConcurrentWorkflowTaskPollers":16,"StickyScheduleToStartTimeout":"60s"}',
  'worker.schedulerNamespaceStartWorkflowRPS=1000',
];
/**
 * The default of 20 polls a second makes every hop between chained tasks wait 40–50 ms twice (10 tasks/s);
 * with these values a chained task takes about 13 ms.
 */
const dynamicConfig = [
  ...schedulerConfig,
  'history.transferProcessorMaxPollRPS=100000',
  'history.timerProcessorMaxPollRPS=100000',
  'history.visibilityProcessorMaxPollRPS=100000',
  'system.enableActivityEagerExecution=true',
];
/** Without these a file-backed server waits for the disk at every event: 23 tasks/s in place of about 200. It still survives kill -9. */
const pragmas = ['journal_mode=WAL', 'synchronous=NORMAL'];
const searchAttributes = [
  'IngotDag=Keyword',
  'IngotLogicalDate=Datetime',
  'IngotRunType=Keyword',
  'IngotState=Keyword',
  'IngotPlanHash=Keyword',
  'IngotBackfill=Keyword',
];

function serverArgs(
  options: TemporalServerOptions,
  ports: TemporalServer['ports'] & { readonly http: number },
): string[] {
  const repeat = (flag: string, values: readonly string[]): string[] =>
    values.flatMap((value) => [flag, value]);
  return [
    'server start-dev --ip 127.0.0.1 --log-level warn --log-format json',
    `--port ${ports.grpc} --http-port ${ports.http} ${options.ui ? `--ui-port ${ports.ui}` : '--headless'}`,
  ]
    .flatMap((flags) => flags.split(' '))
    .concat(
      '--db-filename',
      join(options.folder, 'temporal.db'),
      repeat('--sqlite-pragma', pragmas),
      repeat('--dynamic-config-value', dynamicConfig),
      repeat('--search-attribute', searchAttributes),
    );
}

async function keepRunsFor(days: number, url: string): Promise<void> {
  const retention = `${days * 86_400}s`;
  const response = await fetch(`${url}/update`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ config: { workflowExecutionRetentionTtl: retention } }),
  });
  if (!response.ok)
    throw new RetryableError({
      expected: `the Temporal server to keep closed runs for ${days} days`,
      found: `HTTP ${response.status}: ${await response.text()}`,
      remedy: 'Start again.',
    });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Starts a development server with a file, tuned for one machine; it ends with this process at the latest. */
export async function openTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  await mkdir(options.folder, { recursive: true });
  // The HTTP port is this file's own business, and new every time: nothing else can answer on it in the server's place.
  const [grpc, ui, http] = (await freePorts(
    [options.ports?.grpc, options.ports?.ui, undefined],
    options.anyPort,
  )) as [number, number, number];
  const child = await startGuarded({
    name: 'Temporal',
    command: options.binary,
    args: serverArgs(options, { grpc, ui, http }),
    // The CLI reads TEMPORAL_* as defaults of its own flags; they speak of the server one connects to, not of this one.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_'))),
    folder: options.folder,
    logFile: join(options.folder, 'temporal.log'),
    stopSignal: 'TERM',
    graceMs: 8000,
  });
  const namespace = `http://127.0.0.1:${http}/api/v1/namespaces/default`;
  await options.onSpawn?.(child);
  const ready = async (): Promise<boolean> => (await fetch(namespace)).ok && (await accepts(grpc));
  await waitUntilReady(child, ready, 60_000, options.signal);
  try {
    await keepRunsFor(options.retentionDays, namespace);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return {
    address: `127.0.0.1:${grpc}`,
    uiUrl: options.ui ? `http://127.0.0.1:${ui}` : null,
    ports: { grpc, ui },
    child,
    close: () => child.stop(),
  };
}
