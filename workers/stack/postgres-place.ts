import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TerminalError } from '../../ports/errors.ts';
import { postgresPrograms, postgresUser, type Account } from './postgres-binary.ts';

/** Where Postgres's data and programs are, and the account it runs as when that is not this process's own. */
export interface PostgresPlace {
  readonly folder: string;
  /** Holds `postgres` and `initdb`. */
  readonly programs: string;
  readonly user: Account | null;
}

/** Open to every account, unlike root's home. */
const sharedFolder = '/var/lib/ingot';

async function canEnter(user: Account, folder: string): Promise<boolean> {
  try {
    await promisify(execFile)('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], { ...user, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}

/** A copy of the programs, since `node_modules` lies where the account cannot go. */
async function copyPrograms(programs: string): Promise<string> {
  const native = join(programs, '..');
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = join(sharedFolder, `postgres-${version}`);
  const draft = `${copy}.${process.pid}`;
  await cp(native, draft, { recursive: true, verbatimSymlinks: true });
  // Another start may have been faster; then its copy is as good.
  await rename(draft, copy).catch(() => rm(draft, { recursive: true, force: true }));
  return join(copy, 'bin');
}

/** The folder that stands in for `folder`; `folder` remembers which, so that a new home never meets an old one's data. */
async function standIn(folder: string, progress: (line: string) => void): Promise<string> {
  const pointer = join(folder, 'moved-to');
  const known = await readFile(pointer, 'utf8').catch(() => null);
  if (known !== null) return known.trim();
  const place = join(sharedFolder, `home-${randomUUID()}`);
  await writeFile(pointer, `${place}\n`);
  progress(
    `Postgres does not run as root, and its account cannot reach ${folder}: its data goes to ${place}.`,
  );
  return place;
}

/** Finds a place the account can reach. Only a process of root, whose home is closed to others, needs another than its own. */
export async function postgresPlace(
  folder: string,
  progress: (line: string) => void,
): Promise<PostgresPlace> {
  await mkdir(folder, { recursive: true });
  const user = await postgresUser();
  const programs = postgresPrograms();
  if (user === null) return { folder, programs, user };
  try {
    const reachesPrograms = await canEnter(user, programs);
    const reachesFolder = await canEnter(user, folder);
    if (reachesPrograms && reachesFolder) return { folder, programs, user };
    await mkdir(sharedFolder, { recursive: true, mode: 0o755 });
    const place = reachesFolder ? folder : await standIn(folder, progress);
    if (!reachesFolder) await mkdir(place, { recursive: true, mode: 0o755 });
    return { folder: place, programs: reachesPrograms ? programs : await copyPrograms(programs), user };
  } catch (error) {
    throw new TerminalError(
      {
        expected:
          'a folder for Postgres that another account than root can reach, since it refuses to run as root',
        found: (error as Error).message,
        remedy: 'Run Ingot as an ordinary user, or choose a reachable folder with --home.',
        place: folder,
      },
      { cause: error },
    );
  }
}
