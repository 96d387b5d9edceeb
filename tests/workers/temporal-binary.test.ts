import { buildTemporal } from '../../workers/stack/build-temporal.ts';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import {
  cacheFolder,
  findTemporalBinary,
  resolveTemporalBinary,
} from '../../workers/stack/temporal-binary.ts';

let folder: string;
let env: NodeJS.ProcessEnv;
let said: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-binary-'));
  said = [];
  env = { PATH: join(folder, 'bin'), INGOT_CACHE: join(folder, 'cache'), GOPATH: join(folder, 'go') };
  for (const name of ['bin', 'cache', 'go/bin']) mkdirSync(join(folder, name), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

function install(path: string): void {
  symlinkSync(inject('temporalBinary'), join(folder, path));
}

/** What a download that was killed leaves. */
function installHalf(path: string): void {
  writeFileSync(join(folder, path), '#!/bin/sh\nexit 1\n');
  chmodSync(join(folder, path), 0o755);
}

/** As on a machine without a network; Go is there when a test puts it there. */
const resolve = () =>
  resolveTemporalBinary({ env, progress: (line) => said.push(line) }, [
    ['downloaded', async () => 'the SDK’s download failed: no network'],
    ['built with Go', buildTemporal],
  ]);

test('the CLI on PATH goes before the one in the cache, which goes before the one in Go’s bin folder', async () => {
  install('go/bin/temporal');
  expect(await resolve()).toMatchObject({ path: join(folder, 'go/bin/temporal'), source: "Go's bin folder" });
  install('cache/temporal');
  expect(await resolve()).toMatchObject({ path: join(folder, 'cache/temporal'), source: 'the cache' });
  install('bin/temporal');
  expect(await resolve()).toMatchObject({
    path: join(folder, 'bin/temporal'),
    source: 'PATH',
    version: expect.stringMatching(/\d/),
  });
  expect(said).toEqual([]);
});

test('one that does not run is passed over', async () => {
  installHalf('bin/temporal');
  writeFileSync(join(folder, 'cache/temporal'), 'half of an executable');
  install('go/bin/temporal');
  expect(await resolve()).toMatchObject({ source: "Go's bin folder" });
});

test('nothing is fetched by a mere look', async () => {
  expect(await findTemporalBinary(env)).toBeNull();
  expect(readdirSync(join(folder, 'cache'))).toEqual([]);
});

test('with Go it is built into the cache, once for two processes at once, and a broken one there is replaced', async () => {
  installHalf('cache/temporal');
  const built = join(folder, 'built.log');
  // Stands for the Go tool: puts the program where it is asked to, and leaves a note.
  writeFileSync(
    join(folder, 'bin/go'),
    `#!/bin/sh\necho "$*" >> "${built}"\n/bin/cp -P "${join(folder, 'source')}" "$GOBIN/temporal"\n`,
  );
  chmodSync(join(folder, 'bin/go'), 0o755);
  install('source');
  const both = await Promise.all([resolve(), resolve()]);
  expect(both.map((binary) => binary.path)).toEqual([
    join(folder, 'cache/temporal'),
    join(folder, 'cache/temporal'),
  ]);
  expect(both.map((binary) => binary.source).toSorted()).toEqual(['built with Go', 'the cache']);
  expect(said).toContain('Another process is fetching the Temporal CLI: waiting for it.');
  expect(readdirSync(join(folder, 'cache')).toSorted()).toEqual(['fetch.lock', 'temporal']);
  expect(said.filter((line) => line.startsWith('Building the Temporal CLI'))).toHaveLength(1);
});

test('when everything fails one error lists what was tried and how to mend it', async () => {
  const error = await resolve().catch((thrown: unknown) => thrown as Error);
  expect((error as Error).message).toMatch(
    /expected the Temporal CLI[^]*- no working `temporal` on PATH[^]*- the SDK’s download failed: no network[^]*- Go is not installed[^]*TEMPORAL_ADDRESS/,
  );
  expect(readdirSync(join(folder, 'cache'))).toEqual(['fetch.lock']);
});

test('the cache is where the user keeps such things', () => {
  expect(cacheFolder({ INGOT_CACHE: '/a' })).toBe('/a');
  expect(cacheFolder({ XDG_CACHE_HOME: '/b' })).toBe('/b/ingot');
});
