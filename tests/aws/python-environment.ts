import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder } from './cached-folder.ts';
import { loggedBuild } from './logged-build.ts';
import { NoTestBedError, outputOf } from './needed-program.ts';

export interface PythonEnvironment {
  /** The interpreter of the virtual environment. */
  readonly python: string;
  /** DuckDB's httpfs extension file. */
  readonly httpfs: string;
}

/** Glue 5.x runs Python 3.11; PySpark 3.5 does not run on 3.13. */
const interpreters = ['python3.11', 'python3.12', 'python3.10', 'python3'];
const fits = /^Python 3\.1[012]\./;

async function findPython(): Promise<{ readonly command: string; readonly version: string }> {
  for (const command of interpreters) {
    const version = await outputOf(command, [
      '-c',
      'import sys, venv, ensurepip; print("Python", sys.version)',
    ]);
    if (version !== null && fits.test(version)) return { command, version: version.trim() };
  }
  throw new NoTestBedError(
    `no Python 3.10 to 3.12 with venv and ensurepip on PATH (looked for ${interpreters.join(', ')})`,
  );
}

const pythonOf = (folder: string): string => join(folder, 'bin', 'python');

async function httpfsOf(folder: string): Promise<string> {
  const [version = ''] = await readdir(join(folder, 'lib'));
  const extensions = join(folder, 'lib', version, 'site-packages', 'duckdb_extension_httpfs', 'extensions');
  const [duckdb = ''] = await readdir(extensions);
  return join(extensions, duckdb, 'httpfs.duckdb_extension');
}

async function isWhole(folder: string): Promise<boolean> {
  const runs = await outputOf(pythonOf(folder), [
    '-c',
    'import importlib.util as u; u.find_spec("pyspark").origin',
  ]);
  if (runs === null) return false;
  return await httpfsOf(folder).then(
    (file) => access(file).then(() => true),
    () => false,
  );
}

/** A virtual environment with the pins of `requirements.txt`, in the user's cache. */
export async function pythonEnvironment(
  cache: string,
  progress: (line: string) => void,
): Promise<PythonEnvironment> {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const { command, version } = await findPython();
  const install = ['-m', 'pip', 'install', '--quiet', '--no-input', '--requirement', requirements];
  const folder = await cachedFolder({
    name: 'python',
    parent: cache,
    key: `${version}\n${await readFile(requirements, 'utf8')}`,
    isWhole,
    progress,
    build: async (building) => {
      const step = { folder: building, progress };
      const what = 'Preparing Python for the AWS test bed';
      await loggedBuild({ ...step, what, command, args: ['-m', 'venv', building] });
      await loggedBuild({
        ...step,
        what: 'Installing ministack and PySpark',
        command: pythonOf(building),
        args: install,
      });
    },
  });
  return { python: pythonOf(folder), httpfs: await httpfsOf(folder) };
}
