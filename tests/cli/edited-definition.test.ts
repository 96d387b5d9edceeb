import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ingot } from '../support/cli.ts';
import { homeFolder } from '../support/home-folder.ts';
import { allGone, processesOf, recordOf } from '../support/processes.ts';

// A whole stack starts and stops here, on machines that may be busy.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const { home, remove } = homeFolder();
const folder = join(home, '..', 'dags');
const file = join(folder, 'greeting.ts');
const authoring = pathToFileURL(join(import.meta.dirname, '../../activities/index.ts')).href;
const env = { INGOT_DAGS: file };

function define(word: string): void {
  mkdirSync(folder, { recursive: true });
  const kind = `{ name: 'say', facts: { word: '${word}' }, run: () => '${word}' }`;
  writeFileSync(
    file,
    `import { dag } from '${authoring}';\nexport const dags = [dag('greeting', {}, ({ task }) => void task('say', ${kind}))];\n`,
  );
}

async function outputOfRun(): Promise<unknown> {
  const result = await ingot(home, ['run', 'greeting', '--date', '2026-01-01', '--json'], env);
  expect(result, result.stderr).toMatchObject({ code: 0 });
  return (JSON.parse(result.stdout) as { attempts: { output: unknown }[] }).attempts[0]!.output;
}

beforeAll(async () => {
  define('hello');
  expect(await ingot(home, ['dev', '--detach'], env)).toMatchObject({ code: 0 });
});

afterAll(async () => {
  const record = recordOf(home);
  expect(await ingot(home, ['down'], env)).toMatchObject({ code: 0 });
  if (record !== null) await allGone([...processesOf(record), record.supervisor]);
  remove();
});

test('a run started right after an edit runs the edited definition', async () => {
  expect(await outputOfRun()).toBe('hello');
  define('good morning');
  expect(await outputOfRun()).toBe('good morning');
});

test('while a definition is broken the worker stays, and the command says what is wrong', async () => {
  const { program: before } = recordOf(home)!.children.find(({ name }) => name === 'Worker')!;
  writeFileSync(file, 'export const dags = 1;\n');
  const result = await ingot(home, ['run', 'greeting', '--date', '2026-01-02'], env);
  expect(result.code).not.toBe(0);
  expect(result.stderr).toContain('an export `dags`');
  expect(() => process.kill(before.pid, 0)).not.toThrow();
  define('welcome back');
  expect(await outputOfRun()).toBe('welcome back');
});
