import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
let folder: string;

beforeAll(async () => {
  // Inside the project, so that the compiler finds what the project's own files find.
  folder = await mkdtemp(join(root, 'node_modules', '.wiring-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function compile(name: string, wiring: string): Promise<string> {
  const file = join(folder, `${name}.ts`);
  await writeFile(
    file,
    `import { createDagFactory } from '${join(root, 'dag/builder.ts')}';
const dag = createDagFactory<{ readonly attempt: number }>();
export const checked = dag('checked', {}, ({ task }) => {
  const extract = task('extract', async () => ({ table: 'payments', rows: 3 }));
  task('load', async (input: { readonly target: string; readonly count: number }) => input.count, ${wiring});
});
`,
  );
  const config = join(folder, `${name}.json`);
  await writeFile(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { types: [] },
      include: [file],
      exclude: [],
    }),
  );
  try {
    await promisify(execFile)('npx', ['tsc', '-p', config], { cwd: root });
    return '';
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

test('a rightly wired task compiles', async () => {
  expect(await compile('right', '{ target: extract.output.table, count: extract.output.rows }')).toBe('');
});

test.each([
  ['a-missing-field', '{ target: extract.output.table }', "Property 'count' is missing"],
  ['an-unknown-field', '{ target: extract.output.table, count: 1, colour: 1 }', "'colour' does not exist"],
  ['an-unknown-output', '{ target: extract.output.tabel, count: 1 }', "Property 'tabel' does not exist"],
  ['another-shape', 'extract', 'missing the following properties'],
  [
    'another-type',
    '{ target: extract.output.rows, count: 1 }',
    "'Referring<number>' is not assignable to type 'Referring<string>'",
  ],
])('the compiler refuses %s and says so', async (name, wiring, message) => {
  const output = await compile(name, wiring);
  expect(output).toContain(`${name}.ts(5,`);
  expect(output).toContain(message);
});
