import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bundleWorkflowCode, type BundleOptions } from '@temporalio/worker';

const root = join(import.meta.dirname, '..');
const rooms = ['workflows', 'dag', 'ports'];

async function sources(room: string): Promise<string[]> {
  const entries = await readdir(join(root, room), { recursive: true });
  return entries.filter((entry) => entry.endsWith('.ts')).map((entry) => join(room, entry));
}

/** Changes with everything the bundle is made of. */
async function bundleKey(): Promise<string> {
  const hash = createHash('sha256');
  const files = (await Promise.all(rooms.map(sources))).flat().sort();
  for (const file of files) hash.update(file).update(await readFile(join(root, file)));
  hash.update(await readFile(import.meta.filename));
  const require = createRequire(import.meta.url);
  hash.update(await readFile(require.resolve('@temporalio/workflow/package.json')));
  hash.update(await readFile(require.resolve('@temporalio/worker/package.json')));
  return hash.digest('hex').slice(0, 16);
}

type WebpackConfig = Parameters<NonNullable<BundleOptions['webpackConfigHook']>>[0];

/** For the SDK's own target, ES2017, every private field and every spread becomes a call. */
function forThisNode(config: WebpackConfig): WebpackConfig {
  for (const rule of config.module?.rules ?? []) {
    if (typeof rule !== 'object' || !rule?.use || typeof rule.use !== 'object' || !('options' in rule.use))
      continue;
    const { options } = rule.use;
    if (typeof options === 'object' && 'jsc' in options) options['jsc'].target = 'es2023';
  }
  return config;
}

const keepMs = 7 * 86_400_000;

async function removeOld(folder: string, current: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!name.startsWith('workflows-') || path === current) continue;
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > keepMs) await rm(path, { force: true });
  }
}

/** Path of the bundled workflow code, made once for each state of the sources: bundling takes 1.5–2 seconds. */
export async function workflowBundle(cacheFolder: string): Promise<string> {
  const path = join(cacheFolder, `workflows-${await bundleKey()}.js`);
  if (await stat(path).catch(() => null)) return path;
  await mkdir(cacheFolder, { recursive: true });
  const workflowsPath = join(root, 'workflows', 'index.ts');
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    // Evaluated anew for each run, all of it would be cold each time. So no module may keep state of a run at its top level.
    preloadModules: [workflowsPath],
    webpackConfigHook: forThisNode,
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} },
  });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, code);
  await rename(temporary, path);
  await removeOld(cacheFolder, path);
  return path;
}
