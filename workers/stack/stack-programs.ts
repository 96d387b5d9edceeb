import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { migrate } from '../../migrations/migrate.ts';
import { createDatabases, embeddedDatabases } from './databases.ts';
import { startGuarded, type GuardedChild } from './guarded-child.ts';
import { openPostgresServer } from './postgres-server.ts';
import { resolveTemporalBinary } from './temporal-binary.ts';
import { openTemporalServer } from './temporal-server.ts';
import { PortTakenError, waitUntilReady } from './wait-until.ts';

export interface ProgramContext {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly retentionDays: number;
  /** The command that runs a worker. */
  readonly worker: readonly string[];
  /** Variables that are set elsewhere and so not given by the stack. */
  readonly given: ReadonlySet<string>;
  /** Ports of earlier starts, and at a restart those of this one. */
  readonly ports: Readonly<Record<string, number>>;
  /** False when others know the ports already: then they must stay. */
  readonly anyPort: boolean;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal | undefined;
  readonly onSpawn: (child: GuardedChild) => Promise<void>;
}

/** A program that answers, and what those who use it must know. */
export interface StartedProgram {
  readonly child: GuardedChild;
  readonly ports: Readonly<Record<string, number>>;
  readonly env: Readonly<Record<string, string>>;
}

function optional(context: ProgramContext): { readonly signal?: AbortSignal } {
  return context.signal === undefined ? {} : { signal: context.signal };
}

const looksForPorts = 5;

/** Between looking for free ports and listening on them another program may take one: then again, with another look. */
async function withFreePorts<T>(context: ProgramContext, start: () => Promise<T>): Promise<T> {
  for (let look = 1; ; look += 1) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof PortTakenError) || !context.anyPort || look === looksForPorts) throw error;
    }
  }
}

export async function startTemporal(context: ProgramContext): Promise<StartedProgram> {
  const binary = await resolveTemporalBinary({
    env: context.env,
    progress: context.say,
    signal: context.signal,
  });
  context.signal?.throwIfAborted();
  const server = await withFreePorts(context, () =>
    openTemporalServer({
      binary: binary.path,
      folder: join(context.home, 'temporal'),
      ports: {
        grpc: context.ports['temporal'] ?? 7233,
        ui: context.ports['temporalUi'] ?? 8233,
      },
      ui: true,
      retentionDays: context.retentionDays,
      anyPort: context.anyPort,
      onSpawn: context.onSpawn,
      ...optional(context),
    }),
  );
  return {
    child: server.child,
    ports: { temporal: server.ports.grpc, temporalUi: server.ports.ui },
    env: {
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: 'default',
      INGOT_TEMPORAL_UI: server.uiUrl ?? '',
    },
  };
}

export async function startPostgres(context: ProgramContext): Promise<StartedProgram> {
  const server = await withFreePorts(context, () =>
    openPostgresServer({
      folder: join(context.home, 'postgres'),
      port: context.ports['postgres'] ?? 54_329,
      progress: context.say,
      anyPort: context.anyPort,
      onSpawn: context.onSpawn,
      ...optional(context),
    }),
  );
  try {
    await createDatabases(server);
    await migrate(server.url(embeddedDatabases.ledger));
  } catch (error) {
    await server.close();
    throw error;
  }
  return {
    child: server.child,
    ports: { postgres: server.port },
    env: Object.fromEntries(
      Object.entries(embeddedDatabases)
        .map(([name, database]) => [`INGOT_${name.toUpperCase()}_URL`, server.url(database)] as const)
        .filter(([name]) => !context.given.has(name)),
    ),
  };
}

export async function startWorker(context: ProgramContext): Promise<StartedProgram> {
  const [command, ...args] = context.worker as [string, ...string[]];
  const readyFile = join(context.home, 'worker.ready');
  await rm(readyFile, { force: true });
  const child = await startGuarded({
    name: 'Worker',
    command,
    args: [...args, '--ready-file', readyFile],
    env: context.env,
    folder: context.home,
    logFile: join(context.home, 'logs', 'worker.log'),
    stopSignal: 'TERM',
    graceMs: 8000,
  });
  await context.onSpawn(child);
  const ready = async (): Promise<boolean> => Number(await readFile(readyFile, 'utf8')) === child.program.pid;
  await waitUntilReady(child, ready, 120_000, context.signal);
  return { child, ports: {}, env: {} };
}
