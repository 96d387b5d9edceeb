import { readFileSync } from 'node:fs';
import { join } from 'node:path';

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

/** Which code this process runs: `INGOT_BUILD` where an image was built, else version and commit. */
export function buildId(env: NodeJS.ProcessEnv): string {
  const { version } = JSON.parse(read('package.json') ?? '{"version":"0"}') as { version: string };
  const sha = commit();
  return env['INGOT_BUILD'] || (sha === null ? version : `${version}+${sha.slice(0, 9)}`);
}
