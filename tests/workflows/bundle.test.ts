import { readFile, stat, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { temporaryFolder } from './harness.ts';

let code: string;
beforeAll(async () => {
  await using folder = await temporaryFolder();
  const bundle = await readFile(await workflowBundle(folder.path), 'utf8');
  code = bundle.slice(0, bundle.indexOf('//# sourceMappingURL='));
});

/** Modules that webpack put into the bundle, by their comment headers and ids. */
function modules(): string[] {
  return [...code.matchAll(/^\/\*\*\*\/ "([^"]+)"/gm)].map((match) => match[1]!);
}

test('the bundle holds the interpreter and the reducer', () => {
  expect(modules()).toEqual(expect.arrayContaining(['./workflows/run-dag.ts', './dag/reducer.ts']));
});

test.each(['activities', 'engines', 'workers', 'pipelines', 'migrations', 'cli'])(
  'nothing of %s is in the bundle',
  (room) => {
    expect(modules().filter((id) => id.startsWith(`./${room}/`))).toEqual([]);
  },
);

test.each([
  'zod',
  'pg',
  'knex',
  '@duckdb',
  'croner',
  'pino',
  '@temporalio/activity',
  '@temporalio/client',
  '@temporalio/worker',
])('the package %s is not in the bundle', (name) => {
  expect(modules().filter((id) => id.includes(`node_modules/${name}/`))).toEqual([]);
});

test('of the ports only types are used, which leave nothing behind', () => {
  expect(modules().filter((id) => id.startsWith('./ports/'))).toEqual([]);
});

test('no module of Node is asked for', () => {
  expect(code).not.toMatch(/require\(["']node:/);
});

test('the bundle is small: the SDK and little else', () => {
  const [, ...parts] = code.split(/^(?=\/\*\*\*\/ ")/m);
  const own = parts.filter((part) => /^\/\*\*\*\/ "\.\/(workflows|dag)\//.test(part));
  expect(own.length).toBeGreaterThan(10);
  expect(own.join('').length).toBeLessThan(440_000);
  expect(code.length).toBeLessThan(1_500_000);
});

test('the bundle is made once for each state of the sources', async () => {
  await using folder = await temporaryFolder();
  const path = await workflowBundle(folder.path);
  await writeFile(path, 'made before');
  const { mtimeMs } = await stat(path);
  expect(await workflowBundle(folder.path)).toBe(path);
  expect((await stat(path)).mtimeMs).toBe(mtimeMs);
});

test('private fields and spreads are left to Node', () => {
  expect(code).toMatch(/^ {4}#instances/m);
  expect(code).not.toMatch(/_class_private_field_get|_object_spread/);
});

test('runs share the interpreter: it is loaded before the first one', () => {
  const preload = /exports\.preloadModules = function preloadModules\(\) \{([^}]*)\}/.exec(code)?.[1];
  expect(preload).toContain('./workflows/index.ts');
});
