import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TerminalError } from '../../ports/errors.ts';
import { postgresBinary, postgresUser } from './postgres-binary.ts';

export interface Cluster {
  readonly dataFolder: string;
  readonly password: string;
}

type Owner = { readonly uid: number; readonly gid: number } | null;

async function initialise(folder: string, password: string, owner: Owner): Promise<void> {
  const dataFolder = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  await mkdir(dataFolder, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (owner !== null)
    await Promise.all([dataFolder, passwordFile].map((path) => chown(path, owner.uid, owner.gid)));
  const flags = [
    `--pgdata=${dataFolder}`,
    '--username=ingot',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
  ];
  // Text compares by code point, as it does in DuckDB, whatever the machine's locale.
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  await promisify(execFile)(postgresBinary('initdb'), [...flags, ...locale], {
    env: { ...process.env, LC_ALL: 'C' },
    cwd: folder,
    ...owner,
  });
  await rm(passwordFile);
}

async function readMarker(folder: string): Promise<Cluster | null> {
  const text = await readFile(join(folder, 'cluster.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  const dataFolder = join(folder, 'data');
  const made = await stat(join(dataFolder, 'PG_VERSION')).catch(() => null);
  return made === null ? null : { dataFolder, password: (JSON.parse(text) as { password: string }).password };
}

/**
 * The cluster under `folder`, made now if it is not there. The marker `cluster.json` is written last: data without it
 * is what a killed initdb left, holds nothing of anybody's, and is made again.
 */
export async function prepareCluster(folder: string, progress: (line: string) => void): Promise<Cluster> {
  const known = await readMarker(folder);
  if (known !== null) return known;
  const owner = await postgresUser();
  const dataFolder = join(folder, 'data');
  if ((await stat(dataFolder).catch(() => null)) !== null) {
    progress('An earlier start was interrupted while Postgres made its data folder: making it again.');
    await rm(dataFolder, { recursive: true, force: true });
  }
  if (owner !== null) await chown(folder, owner.uid, owner.gid);
  const password = randomBytes(18).toString('hex');
  await initialise(folder, password, owner).catch((error: unknown) => {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new TerminalError(
      {
        expected: 'initdb to make a Postgres data folder',
        found: (stderr ?? message).trim(),
        remedy: `Mend what it names; ${folder} must be writable${owner === null ? '' : ' and reachable for the account Postgres runs as'}.`,
      },
      { cause: error },
    );
  });
  const draft = join(folder, 'cluster.json.new');
  await writeFile(draft, JSON.stringify({ password }), { mode: 0o600 });
  await rename(draft, join(folder, 'cluster.json'));
  await chmod(folder, 0o755);
  return { dataFolder, password };
}
