import { execFile } from 'node:child_process';
import { access, constants, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { TerminalError } from '../../ports/errors.ts';
import { buildTemporal } from './build-temporal.ts';
import { downloadTemporal } from './download-temporal.ts';
import type { Fetch, FetchOptions } from './fetch-options.ts';
import { waitExclusive } from './exclusive-file.ts';

export interface TemporalBinary {
  readonly path: string;
  readonly version: string;
  /** Where it was found: "PATH", "Go's bin folder", "the cache", "downloaded", "built with Go". */
  readonly source: string;
}

/** Where programs the stack fetches are kept between projects. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  if (env['INGOT_CACHE']) return env['INGOT_CACHE'];
  if (env['XDG_CACHE_HOME']) return join(env['XDG_CACHE_HOME'], 'ingot');
  return process.platform === 'darwin'
    ? join(homedir(), 'Library', 'Caches', 'ingot')
    : join(homedir(), '.cache', 'ingot');
}

/** The version it answers with, or null when it does not run: a half-written file is as good as none. */
async function versionOf(path: string): Promise<string | null> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 20_000 });
    return /^temporal version (.+)$/m.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}

function goFolders(env: NodeJS.ProcessEnv): string[] {
  const gopath = env['GOPATH']?.split(delimiter).filter((folder) => folder !== '') ?? [join(homedir(), 'go')];
  return [...(env['GOBIN'] ? [env['GOBIN']] : []), ...gopath.map((folder) => join(folder, 'bin'))];
}

/** Finds an installed Temporal CLI without fetching anything. */
export async function findTemporalBinary(env: NodeJS.ProcessEnv): Promise<TemporalBinary | null> {
  const places = [
    ...(env['PATH'] ?? '')
      .split(delimiter)
      .filter((folder) => folder !== '')
      .map((folder) => ({ folder, source: 'PATH' })),
    { folder: cacheFolder(env), source: 'the cache' },
    ...goFolders(env).map((folder) => ({ folder, source: "Go's bin folder" })),
  ];
  for (const { folder, source } of places) {
    const path = join(folder, 'temporal');
    const version = await versionOf(path);
    if (version !== null) return { path, version, source };
  }
  return null;
}

const fetches: readonly (readonly [source: string, fetch: Fetch])[] = [
  ['downloaded', downloadTemporal],
  ['built with Go', buildTemporal],
];

async function fetchTemporal(
  folder: string,
  options: FetchOptions,
  ways: typeof fetches,
): Promise<TemporalBinary> {
  const path = join(folder, 'temporal');
  const tried: string[] = ["no working `temporal` on PATH, in the cache or in Go's bin folder"];
  for (const [source, fetch] of ways) {
    const problem = await fetch(path, options).catch((error: unknown) => {
      options.signal?.throwIfAborted();
      return error instanceof Error ? error.message : String(error);
    });
    const version = problem === null ? await versionOf(path) : null;
    if (version !== null) return { path, version, source };
    tried.push(problem ?? `${path} does not run`);
  }
  throw new TerminalError({
    expected: 'the Temporal CLI, which carries the development server',
    found: tried.map((line) => `\n  - ${line}`).join(''),
    remedy: `Install it (https://docs.temporal.io/cli) so that \`temporal\` is on PATH, or point TEMPORAL_ADDRESS at a Temporal server that runs already.`,
  });
}

/** Finds the Temporal CLI or fetches it once into the cache; two processes at once do that one after the other. */
export async function resolveTemporalBinary(options: FetchOptions, ways = fetches): Promise<TemporalBinary> {
  const found = await findTemporalBinary(options.env);
  if (found !== null) return found;
  const folder = cacheFolder(options.env);
  await mkdir(folder, { recursive: true });
  const lock = await waitExclusive(
    join(folder, 'fetch.lock'),
    () => options.progress('Another process is fetching the Temporal CLI: waiting for it.'),
    options.signal,
  );
  try {
    return (await findTemporalBinary(options.env)) ?? (await fetchTemporal(folder, options, ways));
  } finally {
    lock.release();
  }
}
