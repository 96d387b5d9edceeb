import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { definitionFolders } from './definition-folders.ts';

const root = join(import.meta.dirname, '..');

function read(...path: string[]): string | null {
  try {
    return readFileSync(join(root, ...path), 'utf8').trim();
  } catch {
    return null;
  }
}

/** The commit that is checked out, as Git's own files say it; null outside a clone. */
function commit(): string | null {
  const head = read('.git', 'HEAD');
  if (head === null || !head.startsWith('ref: ')) return head;
  const ref = head.slice(5);
  const packed = read('.git', 'packed-refs')
    ?.split('\n')
    .find((line) => line.endsWith(` ${ref}`));
  return read('.git', ...ref.split('/')) ?? packed?.split(' ')[0] ?? null;
}

/** Which release this process is: `INGOT_BUILD` where an image was built, else version and commit. */
export function buildId(env: NodeJS.ProcessEnv): string {
  const { version } = JSON.parse(read('package.json') ?? '{"version":"0"}') as { version: string };
  const sha = commit();
  return env['INGOT_BUILD'] || (sha === null ? version : `${version}+${sha.slice(0, 9)}`);
}

const rooms = ['activities', 'dag', 'engines', 'pipelines', 'ports', 'workers', 'workflows'];
/** What a definition may be made of. */
const code = /[.](ts|mts|js|mjs|sql|json|csv)$/;
/** What is larger is data that lies beside the code. */
const codeBytes = 4 * 1024 * 1024;

async function codeFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && code.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !relative(folder, file).split(/[\\/]/).includes('node_modules'));
}

/**
 * Which code a worker runs, to the letter: `INGOT_BUILD`, else version, commit and a hash of the rooms and of the folders of the
 * DAGs given, since a checkout is edited between commits. Runs, publications and `--skip-unchanged` go by it.
 */
export async function workerBuild(env: NodeJS.ProcessEnv, dags: readonly string[]): Promise<string> {
  const release = buildId(env);
  if (env['INGOT_BUILD']) return release;
  const folders = [...rooms.map((room) => join(root, room)), ...definitionFolders(dags)];
  const files = [...new Set((await Promise.all(folders.map(codeFiles))).flat())].sort();
  const hash = createHash('sha256');
  for (const file of files)
    if ((await stat(file)).size <= codeBytes) hash.update(relative(root, file)).update(await readFile(file));
  return `${release}${release.includes('+') ? '.' : '+'}${hash.digest('hex').slice(0, 8)}`;
}
