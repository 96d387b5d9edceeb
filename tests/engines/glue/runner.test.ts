import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';

interface Ended {
  readonly test: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly text: string;
}

const bed = inject('aws');
const tests = join(import.meta.dirname, '../../glue');

/** What pytest says of each test of the runner, and how pytest itself ended. */
async function pytest(python: string): Promise<{ ends: readonly Ended[]; code: unknown; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-pytest-'));
  const file = join(folder, 'ends.jsonl');
  const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', tests];
  const env = { ...process.env, PYTEST_ENDS: file, PYTHONDONTWRITEBYTECODE: '1' };
  try {
    const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) => {
      execFile(python, args, { cwd: folder, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : error.code, output: `${stdout}\n${stderr}` }),
      );
    });
    const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
    return { ends: lines.map((line) => JSON.parse(line) as Ended), code, output };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// pytest runs while tests are collected, so that each of its tests is one here.
const run = bed === null ? null : await pytest(bed.python);

describe.skipIf(run === null)(`the Spark runner, by pytest ${inject('awsMissing')}`, () => {
  test('pytest ran, and every one of its tests passed', () => {
    expect(run!.ends.length, run!.output).toBeGreaterThan(0);
    expect(run!.code, run!.output).toBe(0);
  });
  for (const { test: name, outcome, text } of run?.ends ?? [])
    test(name.replace(/^.*\/?tests\/glue\//, ''), () => expect(outcome, text).toBe('passed'));
});
