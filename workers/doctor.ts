import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { temporalIsGiven } from './config/temporal-given.ts';
import { temporalConnectOptions } from './config/temporal.ts';
import type { Config } from './config.ts';
import { loadDefinitions } from './definitions.ts';
import { databaseFinding } from './doctor/database.ts';
import { ok, wrong, type Finding } from './doctor/finding.ts';
import { runningStack } from './stack/background.ts';
import { postgresPrograms } from './stack/postgres-binary.ts';
import { findTemporalBinary } from './stack/temporal-binary.ts';

function nodeFinding(): Finding {
  const [major = 0] = process.versions.node.split('.').map(Number);
  return major >= 24
    ? ok('Node', process.versions.node)
    : wrong(
        'Node',
        process.versions.node,
        'Run `npm ci`, which brings Node 24, and start Ingot by npm or npx.',
      );
}

async function existingFolder(folder: string): Promise<string> {
  const made = await stat(folder).catch(() => null);
  return made !== null || dirname(folder) === folder ? folder : existingFolder(dirname(folder));
}

/** Less than this is soon used up by the files of a few days. */
const scarceBytes = 2 * 1024 ** 3;

async function folderFinding(what: string, folder: string, remedy: string): Promise<Finding> {
  try {
    const existing = await existingFolder(folder);
    await access(existing, constants.W_OK);
    const { bavail, bsize } = await statfs(existing);
    const free = `${folder}, ${((bavail * bsize) / 1e9).toFixed(1)} GB free`;
    return bavail * bsize > scarceBytes
      ? ok(what, free)
      : {
          what,
          state: 'note',
          found: free,
          remedy: 'Make room: files of a run take about as much as its input, several times.',
        };
  } catch (error) {
    return wrong(what, error, remedy);
  }
}

async function temporalFinding(config: Config, env: NodeJS.ProcessEnv): Promise<Finding> {
  const what = 'Temporal';
  if (!temporalIsGiven(env, config.temporalProfile)) {
    const binary = await findTemporalBinary(env);
    if (binary !== null) return ok(what, `${binary.path} (${binary.source}), ${binary.version}`);
    return {
      what,
      state: 'note',
      found: 'the Temporal CLI is not installed',
      remedy:
        'The first start downloads it, or builds it where Go is installed. To prepare: https://docs.temporal.io/cli.',
    };
  }
  try {
    const { Connection } = await import('@temporalio/client');
    const { namespace, connectionOptions } = temporalConnectOptions(env, config.temporalProfile);
    const connection = await Connection.connect({ ...(connectionOptions as object), connectTimeout: '5s' });
    try {
      await connection.workflowService.describeNamespace({ namespace });
      return ok(what, `${connectionOptions.address ?? 'the server'} answers, namespace ${namespace}`);
    } finally {
      await connection.close();
    }
  } catch (error) {
    return wrong(what, error, 'Check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and the profile.');
  }
}

async function postgresFinding(config: Config, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const needed = ['ledger', 'warehouse'];
  const names = config.engine === 'aws' ? new Set([...needed, ...Object.keys(config.connections)]) : needed;
  const given = [...names].filter((name) => config.connections[name] !== undefined);
  const findings = await Promise.all(given.map((name) => databaseFinding(name, config, env)));
  if (needed.every((name) => given.includes(name))) return findings;
  try {
    const binary = join(postgresPrograms(), 'postgres');
    await access(binary, constants.X_OK);
    return [...findings, ok('Postgres', `embedded, ${binary}`)];
  } catch (error) {
    return [
      ...findings,
      wrong('Postgres', error, 'Run `npm ci` on this machine, with optional dependencies.'),
    ];
  }
}

async function stackFinding(home: string): Promise<Finding> {
  const record = await runningStack(home);
  if (record === null) return ok('Stack', `not running in ${home}`);
  const ports = Object.entries(record.ports).map(([name, port]) => `${name} ${port}`);
  return ok(
    'Stack',
    `${record.state === 'ready' ? 'up' : record.state}, process ${record.supervisor.pid}, ports: ${ports.join(', ')}`,
  );
}

async function duckDbFinding(): Promise<Finding> {
  try {
    const { version } = (await import('@duckdb/node-api')).default;
    return ok('DuckDB', version());
  } catch (error) {
    return wrong('DuckDB', error, 'Run `npm ci` on this machine.');
  }
}

async function dagsFinding(config: Config): Promise<Finding> {
  try {
    return ok('DAGs', [...(await loadDefinitions(config.dags)).keys()].join(', '));
  } catch (error) {
    return wrong('DAGs', error, '`ingot check` lists all problems.');
  }
}

/** What the setting `engine` adds: a folder of this machine, or what there is in AWS. */
async function lakeFindings(config: Config, env: NodeJS.ProcessEnv): Promise<Finding | Finding[]> {
  if (config.engine === 'embedded')
    return folderFinding('Lake', config.lake, 'Make it writable, or choose another with INGOT_LAKE.');
  const { awsFindings } = await import('./doctor/aws.ts');
  return awsFindings(config, env);
}

/** Looks at everything a start needs, without starting, fetching or changing anything. */
export async function examine(config: Config, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const found = await Promise.all([
    folderFinding('Home', config.home, 'Make it writable, or choose another with --home or INGOT_HOME.'),
    lakeFindings(config, env),
    folderFinding(
      'Spill folder',
      config.spillFolder,
      'Make it writable, or choose another with INGOT_SPILL_FOLDER.',
    ),
    temporalFinding(config, env),
    postgresFinding(config, env),
    duckDbFinding(),
    dagsFinding(config),
    stackFinding(config.home),
  ]);
  return [nodeFinding(), ...found.flat()];
}
