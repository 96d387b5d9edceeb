import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BackfillRecord } from '../../ports/backfill.ts';
import { ended, ingot, startIngot } from '../support/cli.ts';
import { homeFolder } from '../support/home-folder.ts';
import { allGone, eventually, processesOf, recordOf } from '../support/processes.ts';

const folder = homeFolder();
const { home } = folder;

beforeAll(async () => {
  expect(await ingot(home, ['dev', '--detach'])).toMatchObject({ code: 0 });
});

afterAll(async () => {
  const record = recordOf(home);
  expect(await ingot(home, ['down'])).toMatchObject({ code: 0 });
  if (record !== null) await allGone([...processesOf(record), record.supervisor]);
  folder.remove();
});

function backfill(...args: readonly string[]) {
  return ingot(home, ['backfill', ...args]);
}

async function list(...args: readonly string[]): Promise<BackfillRecord[]> {
  return JSON.parse((await backfill('list', '--json', ...args)).stdout) as BackfillRecord[];
}

test('a dry run says what would happen to each interval and why, and starts nothing', async () => {
  const range = ['quick', '--from', '2026-01-01', '--to', '2026-02-10', '--dry-run'];
  const text = await backfill('create', ...range);
  expect(text).toMatchObject({ code: 0 });
  expect(text.stdout).toMatch(/^2026-01-01 {2}2026-01-02 {2}run {4}no run yet$/m);
  expect(text.stdout).toContain('… and 21 more; --json prints them all');
  expect(text.stdout).toContain(
    '41 intervals: 41 would get a run (41 no run yet), 0 would be left alone. Nothing was started.',
  );
  expect(JSON.parse((await backfill('create', ...range, '--json')).stdout)).toHaveLength(41);
  expect(await list()).toEqual([]);
});

test('a backfill is followed line by line, remembered, and not done twice', async () => {
  const range = ['quick', '--from', '2026-01-01', '--to', '2026-01-04'];
  const first = await backfill('create', ...range, '--max-active-runs', '2', '--params', '{"times": 7}');
  expect(first).toMatchObject({ code: 0 });
  expect(first.stdout).toMatch(
    /^ingot-backfill-quick-2026-01-01-2026-01-04 {2}success {2}4 intervals: 4 success {2}\d/,
  );
  for (const day of [1, 2, 3, 4])
    expect(first.stderr).toMatch(new RegExp(`^quick backfill {2}2026-01-0${day} {2}success {2}\\d`, 'm'));
  const again = await backfill('create', ...range);
  expect(again.stdout).toContain('4 intervals: 4 skipped');
  const runs = JSON.parse(
    (await ingot(home, ['runs', 'list', '--dag', 'quick', '--json'])).stdout,
  ) as object[];
  expect(runs).toHaveLength(4);
  expect(runs[0]).toMatchObject({ type: 'backfill', params: { times: 7 } });
  const shown = JSON.parse((await backfill('show', 'quick', '--json')).stdout) as { intervals: object[] };
  expect(shown.intervals.map((each) => (each as { reason: string }).reason)).toEqual(
    Array.from({ length: 4 }, () => 'latest run succeeded'),
  );
});

test('failed intervals are named, and the exit code tells of them', async () => {
  const result = await backfill('create', 'failing', '--from', '2026-01-01', '--to', '2026-01-02');
  expect(result).toMatchObject({ code: 1 });
  expect(result.stdout).toMatch(/failed {2}2 intervals: 2 failed/);
  expect(result.stdout).toMatch(/^2026-01-02 {2}failed {2}[0-9a-f-]{36} {2}.*found a rotten one/m);
});

test('paused, resumed and cancelled from the command line; an interrupted create leaves it running', async () => {
  const range = ['endless', '--from', '2026-01-01', '--to', '2026-01-09', '--max-active-runs', '2'];
  const creating = startIngot(home, ['backfill', 'create', ...range]);
  const created = ended(creating);
  await eventually('two runs', async () => (await list('--open'))[0]?.counts.running === 2 || null);
  creating.kill('SIGINT');
  expect(await created).toMatchObject({
    code: 130,
    stderr: expect.stringContaining(
      '`ingot backfill cancel ingot-backfill-endless-2026-01-01-2026-01-09` ends it',
    ) as string,
  });
  expect((await backfill('pause', 'endless')).stdout).toContain(
    'is paused: 9 intervals: 2 running, 7 remaining.',
  );
  expect((await backfill('resume', 'endless')).stdout).toContain('is running');
  const joined = await backfill('create', ...range, '--detach');
  expect(joined).toMatchObject({ code: 0 });
  expect(joined.stderr).toContain('is under way already: nothing was started');
  const other = await backfill('create', ...range, '--reprocess', 'completed', '--detach');
  expect(other).toMatchObject({ code: 1 });
  expect(other.stderr).toMatch(/no open backfill of this range with other settings/);
  const cancelled = await backfill('cancel', 'endless');
  expect(cancelled.stdout).toContain('is cancelled: 9 intervals: 2 cancelled, 7 remaining.');
  expect((await ingot(home, ['runs', 'list', '--dag', 'endless', '--state', 'running'])).stdout).toContain(
    'No running runs of endless.',
  );
  expect(await backfill('pause', 'endless')).toMatchObject({ code: 2 });
});

test.each([
  [
    ['create', 'quick', '--from', '2025-12-01', '--to', '2026-01-02'],
    /--from: expected a date within the DAG's, which begins 2026-01-01/,
  ],
  [
    ['create', 'quick', '--from', '2026-01-02', '--to', '2999-01-02'],
    /--to: expected data intervals that are over/,
  ],
  [
    ['create', 'quick', '--from', '2026-01-02', '--to', '2026-01-03', '--reprocess', 'all'],
    /expected --reprocess none \| failed \| completed; found all/,
  ],
  [
    ['create', 'quick', '--from', '2026-01-02', '--to', '2026-01-03', '--max-active-runs', '0'],
    /from 1 to 500; found 0/,
  ],
  [
    ['create', 'quick', '--from', '2026-01-02', '--to', '2026-01-03', '--params', '[1]'],
    /expected --params as a JSON object/,
  ],
  [
    [
      'create',
      'quick',
      '--from',
      '2026-01-02',
      '--to',
      '2026-01-03',
      '--params',
      '{"time": 1, "times": "x"}',
    ],
    /param time: expected one of times[^]*param times: expected an integer/,
  ],
  [['show', 'quik'], /expected the id or workflow id of a backfill/],
])('backfill %j is wrong use: code 2 and what was meant', async (args, message) => {
  const result = await backfill(...args);
  expect(result).toMatchObject({ code: 2, stdout: '' });
  expect(result.stderr).toMatch(message);
});
