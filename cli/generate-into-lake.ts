import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import type { GeneratedFile, GenerateOptions } from '../pipelines/generators/options.ts';
import type { Config } from '../workers/config.ts';
import { openLake } from '../workers/open-lake.ts';

/** Makes files of one source; a generator of `pipelines/generators`. */
type Generate = (options: GenerateOptions) => Promise<readonly GeneratedFile[]>;

/** Generates files where the pipelines look for them: in the lake's own folder, or through a folder of this machine into its bucket. */
export async function generateIntoLake(
  config: Config,
  env: NodeJS.ProcessEnv,
  generate: Generate,
  options: Omit<GenerateOptions, 'into'>,
): Promise<readonly GeneratedFile[]> {
  if (config.engine === 'embedded') return generate({ ...options, into: config.lake });
  const lake = await openLake(config, env);
  const into = await mkdtemp(join(tmpdir(), 'ingot-generated-'));
  const upload = async (path: string): Promise<string> => {
    const key = relative(into, path).split(sep).join('/');
    await lake.objects.put(key, createReadStream(path), options.signal ? { signal: options.signal } : {});
    return lake.objects.location(key);
  };
  try {
    const uploaded: GeneratedFile[] = [];
    for (const file of await generate({ ...options, into })) {
      const paths: string[] = [];
      for (const path of file.paths) paths.push(await upload(path));
      uploaded.push({ ...file, paths, truthPath: await upload(file.truthPath) });
    }
    return uploaded;
  } finally {
    await rm(into, { recursive: true, force: true });
    await lake.close();
  }
}
