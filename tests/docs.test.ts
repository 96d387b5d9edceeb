import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { settings } from '../workers/config/settings.ts';

const root = resolve(import.meta.dirname, '..');
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);

function text(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

test('every TypeScript example of README and docs compiles', async () => {
  const folder = join(root, 'tests', '.docs-examples');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const examples = pages.flatMap((page) =>
      [...text(page).matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => ({ page, code: match[1]! })),
    );
    expect(examples.length).toBeGreaterThan(1);
    for (const [index, { page, code }] of examples.entries())
      writeFileSync(
        join(folder, `${page.replaceAll(/\W/g, '-')}-${index}.ts`),
        code.replaceAll("'./", "'../../"),
      );
    const config = { extends: '../../tsconfig.json', include: ['*.ts'], exclude: [] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    const { stdout } = await promisify(execFile)(tsc, ['-p', join(folder, 'tsconfig.json')]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('every link between pages leads to a file', () => {
  const broken = pages.flatMap((page) =>
    [...text(page).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)]
      .map((match) => resolve(root, page, '..', match[1]!))
      .filter((target) => !existsSync(target))
      .map((target) => `${page} -> ${target}`),
  );
  expect(broken).toEqual([]);
});

test('the page on configuration names every setting, its variable and its flag', () => {
  const page = text('docs/configuration.md');
  const missing = Object.values(settings).flatMap((setting) => {
    const flag = 'flag' in setting ? [`\`--${setting.flag}\``] : [];
    return [`\`${setting.key}\``, `\`${setting.env}\``, ...flag].filter((name) => !page.includes(name));
  });
  expect(missing).toEqual([]);
});
