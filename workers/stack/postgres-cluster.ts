import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TerminalError } from '../../ports/errors.ts';
import { startGuarded } from './guarded-child.ts';
import type { PostgresPlace } from './postgres-place.ts';

export interface Cluster {
  readonly dataFolder: string;
  readonly password: string;
}

const marker = 'ingot.json';

async function runInitdb(
  { folder, programs, user }: PostgresPlace,
  draft: string,
  passwordFile: string,
  signal?: AbortSignal,
): Promise<void> {
  const flags = ['--username=ingot', '--auth=scram-sha-256', '--encoding=UTF8'];
  // Text compares by code point, as it does in DuckDB, whatever the machine's locale.
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const initdb = await startGuarded({
    name: 'initdb',
    command: join(programs, 'initdb'),
    args: [`--pgdata=${draft}`, `--pwfile=${passwordFile}`, ...flags, ...locale],
    env: { ...process.env, LC_ALL: 'C' },
    folder,
    logFile: join(folder, 'initdb.log'),
    stopSignal: 'TERM',
    graceMs: 2000,
    ...(user === null ? {} : { user }),
  });
  const stop = (): void => void initdb.stop();
  signal?.addEventListener('abort', stop, { once: true });
  const { code } = await initdb.exited;
  signal?.removeEventListener('abort', stop);
  signal?.throwIfAborted();
  if (code !== 0) throw refusal(folder, initdb.logTail());
}

function refusal(folder: string, log: string): TerminalError {
  return new TerminalError({
    expected: 'initdb to make a Postgres data folder',
    found: `its log ends with:\n${log}\n`,
    remedy: 'Mend what it names.',
    place: folder,
  });
}

/** Retried, since what a killed start left may be writing for a moment yet. */
async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 30, retryDelay: 20 });
}

/** Made aside and renamed when complete, so that `data` is a whole cluster or absent, whenever this is killed. */
async function makeCluster(place: PostgresPlace, signal?: AbortSignal): Promise<void> {
  const { folder, user } = place;
  const draft = join(folder, `data.draft-${process.pid}`);
  const passwordFile = join(folder, `password.draft-${process.pid}`);
  const password = randomBytes(18).toString('hex');
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (user !== null)
      for (const path of [folder, draft, passwordFile]) await chown(path, user.uid, user.gid);
    await runInitdb(place, draft, passwordFile, signal);
    await writeFile(join(draft, marker), JSON.stringify({ password }), { mode: 0o600 });
    await rename(draft, join(folder, 'data'));
  } finally {
    await rm(passwordFile, { force: true });
    await removeFolder(draft);
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

/** Removes drafts of killed starts, and a data folder in which no cluster was ever completed: one that was, whatever became of it, is the user's. */
async function removeHalfMade(
  folder: string,
  dataFolder: string,
  progress: (line: string) => void,
): Promise<void> {
  const drafts = (await readdir(folder)).filter((name) => /\.draft-\d+$/.test(name));
  const complete =
    (await exists(join(dataFolder, marker))) || (await exists(join(dataFolder, 'global', 'pg_control')));
  const halfMade = (await exists(dataFolder)) && !complete;
  if (drafts.length === 0 && !halfMade) return;
  progress('An earlier start was interrupted while it made the Postgres data folder: making it again.');
  for (const name of drafts) await removeFolder(join(folder, name));
  if (halfMade) await removeFolder(dataFolder);
}

/** The cluster of a place, made now if it is not there. Called by one process at a time. */
export async function prepareCluster(
  place: PostgresPlace,
  progress: (line: string) => void,
  signal?: AbortSignal,
): Promise<Cluster> {
  const dataFolder = join(place.folder, 'data');
  await removeHalfMade(place.folder, dataFolder, progress);
  if (!(await exists(dataFolder))) await makeCluster(place, signal);
  try {
    const { password } = JSON.parse(await readFile(join(dataFolder, marker), 'utf8')) as { password: string };
    return { dataFolder, password };
  } catch (error) {
    throw new TerminalError(
      {
        expected: `a Postgres data folder made by Ingot, with ${marker} in it`,
        found: (error as Error).message,
        remedy: 'Move the folder away, or choose another home with --home.',
        place: dataFolder,
      },
      { cause: error },
    );
  }
}
