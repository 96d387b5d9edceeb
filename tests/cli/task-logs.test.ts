import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { LogLine } from '../../activities/log-keys.ts';
import { ended, ingot, startIngot } from '../support/cli.ts';
import { homeFolder } from '../support/home-folder.ts';
import { allGone, eventually, processesOf, recordOf } from '../support/processes.ts';

// A whole stack starts and stops here, on machines that may be busy.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const { home, remove } = homeFolder();
const failing = 'failing-2026-01-02T00:00:00Z';

beforeAll(async () => {
  expect(await ingot(home, ['dev', '--detach'])).toMatchObject({ code: 0 });
  expect(await ingot(home, ['run', 'failing', '--date', '2026-01-01'])).toMatchObject({ code: 1 });
  expect(await ingot(home, ['run', 'quick', '--date', '2026-01-01'])).toMatchObject({ code: 0 });
});

afterAll(async () => {
  const record = recordOf(home);
  expect(await ingot(home, ['down'])).toMatchObject({ code: 0 });
  if (record !== null) await allGone([...processesOf(record), record.supervisor]);
  remove();
});

test('a failed attempt says why, for people and as JSON', async () => {
  const shown = await ingot(home, ['tasks', 'logs', failing, 'break']);
  expect(shown).toMatchObject({ code: 0 });
  expect(shown.stderr).toContain(`${failing}  break  attempt 1  failed`);
  expect(shown.stdout).toMatch(
    /ERROR attempt 1 failed after .*: TerminalError: expected a sound input; found a rotten one/,
  );
  const json = await ingot(home, ['tasks', 'logs', failing, 'break', '--json', '--follow']);
  const lines = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as LogLine);
  expect(lines.map(({ event }) => event)).toEqual(['began', 'ended']);
  expect(lines[1]!.error!.type).toBe('TerminalError');
});

test('what is not there is told apart from what said nothing', async () => {
  const silent = await ingot(home, ['tasks', 'logs', 'quick-2026-01-02T00:00:00Z', 'two']);
  expect(silent).toMatchObject({ code: 0, stdout: '' });
  expect(silent.stderr).toContain('Attempt 1 of two has logged nothing');
  const wrong = [
    [
      ['quick-2026-01-02T00:00:00Z', 'tow'],
      'expected a task of quick (one, two); found tow. Did you mean two?',
    ],
    [['nobody', 'two'], 'expected a run id'],
    [['quick-2026-01-02T00:00:00Z', 'two', '--attempt', '3'], 'expected --attempt to be one of 1; found 3'],
    [['quick-2026-01-02T00:00:00Z', 'two[1]'], 'two is not mapped'],
  ] as const;
  for (const [args, said] of wrong) {
    const result = await ingot(home, ['tasks', 'logs', ...args]);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(said);
  }
});

test('following ends with the attempt, and Ctrl-C ends it before', async () => {
  expect(await ingot(home, ['dags', 'trigger', 'endless', '--date', '2026-01-01'])).toMatchObject({
    code: 0,
  });
  const run = 'endless-2026-01-02T00:00:00Z';
  await eventually(
    'the run to be known',
    async () => (await ingot(home, ['runs', 'show', run])).code === 0 || null,
  );
  const follow = ['tasks', 'logs', run, 'wait', '--follow'];
  const interrupted = startIngot(home, follow);
  let noted = '';
  interrupted.stderr?.on('data', (chunk) => (noted += String(chunk)));
  const interruptedEnd = ended(interrupted);
  await eventually('the heading', () => noted.includes('attempt 1') || null);
  interrupted.kill('SIGINT');
  const first = await interruptedEnd;
  expect(first.code).toBe(130);
  expect(first.stderr).not.toContain('    at ');

  const following = ended(startIngot(home, follow));
  expect(await ingot(home, ['runs', 'cancel', run])).toMatchObject({ code: 0 });
  const last = await following;
  expect(last).toMatchObject({ code: 0 });
  expect(last.stdout).toContain('attempt 1 was cancelled');
});
