import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { waitExclusive } from '../../workers/stack/exclusive-file.ts';

export interface CachedFolder {
  /** How people call it. */
  readonly name: string;
  readonly parent: string;
  /** What it is made from: another text is another folder. */
  readonly key: string;
  /** A cheap look at what a deleted file or a new operating system would break. */
  readonly isWhole: (folder: string) => Promise<boolean>;
  readonly build: (folder: string) => Promise<void>;
  readonly progress: (line: string) => void;
}

const marker = 'complete';

async function isUsable(spec: CachedFolder, folder: string): Promise<boolean> {
  const text = await readFile(join(folder, marker), 'utf8').catch(() => null);
  return text === spec.key && (await spec.isWhole(folder));
}

async function rebuild(spec: CachedFolder, folder: string): Promise<void> {
  const siblings = (await readdir(spec.parent)).filter((entry) => entry.startsWith(`${basename(folder)}.`));
  for (const entry of siblings.filter((name) => name.endsWith('.building')))
    await rm(join(spec.parent, entry), { recursive: true, force: true });
  const building = `${folder}.${process.pid}.building`;
  await mkdir(building);
  try {
    await spec.build(building);
    await writeFile(join(building, marker), spec.key);
    await rm(folder, { recursive: true, force: true });
    await rename(building, folder);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

/** A folder that is there whole, built when it is missing, half-written or broken; two processes at once build it once. */
export async function cachedFolder(spec: CachedFolder): Promise<string> {
  const hash = createHash('sha256').update(spec.key).digest('hex').slice(0, 12);
  const folder = join(spec.parent, `${spec.name}-${hash}`);
  if (await isUsable(spec, folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const lock = await waitExclusive(`${folder}.lock`, () =>
    spec.progress(`Another process is preparing ${basename(folder)}: waiting for it.`),
  );
  try {
    if (!(await isUsable(spec, folder))) await rebuild(spec, folder);
    return folder;
  } finally {
    lock.release();
  }
}
