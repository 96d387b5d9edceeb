import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

/** Packages that a module and all it imports have loaded, in a process of its own. */
async function loadedBy(module: string): Promise<string> {
  const script = `
    import { createRequire } from 'node:module';
    await import(${JSON.stringify(join(root, module))});
    console.log(Object.keys(createRequire(import.meta.url).cache).join('\\n'));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: root,
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}

test('listing runs, which asks the ledger alone, does not load the Temporal client', async () => {
  expect(await loadedBy('cli/commands/runs.ts')).toContain('/@temporalio/client/');
  const loaded = await loadedBy('cli/commands/runs-list.ts');
  expect(loaded).not.toContain('/@temporalio/');
});
