import { spawn } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const version = 'v1.5.1';

function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    child.stderr.on('data', (chunk) => (output = (output + String(chunk)).slice(-4000)));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** Builds the official CLI from source where Go is installed. Returns what went wrong, or null. */
export async function buildTemporal(
  path: string,
  options: { readonly env: NodeJS.ProcessEnv; readonly progress: (line: string) => void },
): Promise<string | null> {
  const folder = join(dirname(path), `build-${process.pid}`);
  await mkdir(folder, { recursive: true });
  options.progress(`Building the Temporal CLI ${version} with Go: about three minutes, once.`);
  const startedAt = Date.now();
  const clock = setInterval(
    () => options.progress(`  still building (${Math.round((Date.now() - startedAt) / 1000)} s)`),
    20_000,
  );
  try {
    const { code, output } = await run(
      'go',
      ['install', `github.com/temporalio/cli/cmd/temporal@${version}`],
      { ...options.env, GOBIN: folder, GOFLAGS: '-mod=mod' },
    );
    if (code !== 0)
      return `\`go install\` of the Temporal CLI ended with code ${code}: ${output.trim().split('\n').at(-1)}`;
    await rename(join(folder, 'temporal'), path);
    return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return 'Go is not installed, so it cannot be built';
    throw error;
  } finally {
    clearInterval(clock);
    await rm(folder, { recursive: true, force: true });
  }
}
