import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { RetryableError } from '../ports/errors.ts';
import { flagsAsEnvironment, loadConfig, type Config } from '../workers/config.ts';
import { temporalIsGiven } from '../workers/config/temporal-given.ts';
import type { Readers } from '../workers/open-ports.ts';
import { definitionFolders } from '../workers/definition-folders.ts';
import type { Stack } from '../workers/stack/stack.ts';
import type { Cli } from './cli.ts';

export interface Needs {
  /** A Temporal server and a worker, beside the databases. */
  readonly temporal: boolean;
}

/** The stack, or the servers configured in its place, and ways to speak to them; opened on first use. */
export interface Session {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly stack: Stack | null;
  readers(): Promise<Readers>;
  temporal(): Promise<{ readonly client: Client; readonly namespace: string }>;
}

const temporalVariables = ['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE', 'INGOT_TEMPORAL_UI'];

const ingot = fileURLToPath(new URL('./ingot.js', import.meta.url));
export const workerCommand: readonly string[] = [
  process.execPath,
  ingot,
  'worker',
  '--drain',
  '1',
  '--queues',
  '*',
];
export const devCommand: readonly string[] = [process.execPath, ingot, 'dev'];

/** Starts or joins what the command needs and is not configured to be elsewhere. */
export async function openStackFor(
  cli: Cli,
  needs: Needs,
): Promise<{ config: Config; env: NodeJS.ProcessEnv; stack: Stack | null }> {
  const config = cli.config();
  const { ledger, warehouse } = config.connections;
  const parts = {
    temporal: needs.temporal && !temporalIsGiven(cli.inputs.env, config.temporalProfile),
    postgres: ledger === undefined || warehouse === undefined,
  };
  if (!parts.temporal && !parts.postgres) return { config, env: cli.inputs.env, stack: null };
  const given = Object.keys(config.connections).map((name) => `INGOT_${name.toUpperCase()}_URL`);
  const { openStack } = await import('../workers/stack/stack.ts');
  const stack = await openStack({
    home: config.home,
    env: { ...cli.inputs.env, ...flagsAsEnvironment(cli.inputs) },
    parts,
    given,
    retentionDays: config.runDays,
    worker: workerCommand,
    watch: definitionFolders(config.dags),
    say: cli.note,
    signal: cli.signal,
  });
  // A stack that ran before knows nothing of the servers this command is told to use.
  const elsewhere = temporalIsGiven(cli.inputs.env, config.temporalProfile) ? temporalVariables : [];
  const ofStack = Object.entries(stack.env).filter(([name]) => ![...given, ...elsewhere].includes(name));
  const env = { ...cli.inputs.env, ...Object.fromEntries(ofStack) };
  return { config: loadConfig({ ...cli.inputs, env }), env, stack };
}

async function connect(
  config: Config,
  env: NodeJS.ProcessEnv,
): Promise<{ client: Client; namespace: string }> {
  // Half a second of many commands that speak to the ledger alone.
  const { Client, Connection } = await import('@temporalio/client');
  const { temporalConnectOptions } = await import('../workers/config/temporal.ts');
  const { namespace, connectionOptions } = temporalConnectOptions(env, config.temporalProfile);
  try {
    const connection = await Connection.connect(
      connectionOptions as Parameters<typeof Connection.connect>[0],
    );
    return { client: new Client({ connection, namespace }), namespace };
  } catch (error) {
    throw new RetryableError(
      {
        expected: `the Temporal server at ${connectionOptions.address ?? 'its default address'} to answer`,
        found: (error as Error).message,
        remedy: 'Check TEMPORAL_ADDRESS and the profile; `ingot doctor` looks at them.',
      },
      { cause: error },
    );
  }
}

/** Runs `body` with a session, and closes everything of it whatever happens. */
export async function withSession<T>(
  cli: Cli,
  needs: Needs,
  body: (session: Session) => Promise<T>,
): Promise<T> {
  const { config, env, stack } = await openStackFor(cli, needs);
  let readers: Promise<Readers> | undefined;
  let temporal: ReturnType<typeof connect> | undefined;
  try {
    return await body({
      config,
      env,
      stack,
      readers: () => {
        readers ??= import('../workers/open-ports.ts').then(({ openReaders }) => openReaders(config, env));
        return readers;
      },
      temporal: () => {
        temporal ??= connect(config, env);
        return temporal;
      },
    });
  } finally {
    // The Temporal connection is left to the end of the process: a call that waits for a run's end, as an interrupted command
    // leaves behind, is retried by the SDK from a timer, and on a closed connection that throws where nobody can catch it.
    const opened = await readers?.catch(() => undefined);
    await opened?.close().catch(() => undefined);
    await stack?.close({ force: cli.signal.aborted });
  }
}
