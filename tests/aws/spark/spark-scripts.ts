import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { startGuarded } from '../../../workers/stack/guarded-child.ts';
import type { WarmSpark } from './warm-spark.ts';

export interface ScriptSpec {
  readonly runId: string;
  readonly script: { readonly name: string; readonly text: Uint8Array };
  /** Python files or archives the script may import. */
  readonly modules: readonly { readonly name: string; readonly text: Uint8Array }[];
  readonly args: readonly string[];
  readonly python: string;
  readonly folder: string;
  readonly spark: WarmSpark;
}

export interface RunningScript {
  /** Null for a good end, else what Glue would say. */
  readonly ended: Promise<string | null>;
  kill(): Promise<void>;
}

async function ending(errorFile: string, code: number | null): Promise<string | null> {
  const message = await readFile(errorFile, 'utf8').catch(() => null);
  if (message !== null) return message;
  return code === 0 ? null : `Command failed with exit code ${code}`;
}

/** Starts a job script as a process of its own on the warm Spark, so that its end is a real end and a kill a real kill. */
export async function startScript(spec: ScriptSpec): Promise<RunningScript> {
  const folder = join(spec.folder, spec.runId);
  const modules = join(folder, 'modules');
  await mkdir(modules, { recursive: true });
  const script = join(folder, basename(spec.script.name));
  await writeFile(script, spec.script.text);
  for (const { name, text } of spec.modules) await writeFile(join(modules, name), text);
  const archives = spec.modules.filter(({ name }) => !name.endsWith('.py'));
  const errorFile = join(folder, 'error');
  const child = await startGuarded({
    name: spec.runId,
    command: spec.python,
    args: [join(import.meta.dirname, 'run_script.py'), spec.runId, errorFile, script, ...spec.args],
    env: {
      ...spec.spark.env,
      PYTHONPATH: [modules, ...archives.map(({ name }) => join(modules, name))].join(':'),
    },
    folder,
    logFile: join(folder, 'output.log'),
    stopSignal: 'TERM',
    graceMs: 5000,
  });
  const ended = child.exited.then(async ({ code }) => {
    await writeFile(join(spec.spark.endedFolder, spec.runId), '');
    return ending(errorFile, code);
  });
  return {
    ended,
    kill: () => child.stop(),
  };
}
