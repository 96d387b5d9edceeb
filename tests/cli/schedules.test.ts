import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ingot } from '../support/cli.ts';
import { homeFolder } from '../support/home-folder.ts';
import { allGone, eventually, processesOf, recordOf } from '../support/processes.ts';

const folder = homeFolder();
const { home } = folder;
const env = { INGOT_DAGS: join(import.meta.dirname, '../support/scheduled-dags.ts') };

beforeAll(async () => {
  expect(await ingot(home, ['dev', '--detach'], env)).toMatchObject({ code: 0 });
});

afterAll(async () => {
  const record = recordOf(home);
  expect(await ingot(home, ['down'], env)).toMatchObject({ code: 0 });
  if (record !== null) await allGone([...processesOf(record), record.supervisor]);
  folder.remove();
});

async function json<T>(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<T> {
  const result = await ingot(home, [...args, '--json'], { ...env, ...more });
  expect(result, result.stderr).toMatchObject({ code: 0 });
  return JSON.parse(result.stdout) as T;
}

interface Listed {
  readonly dagId: string;
  readonly paused: boolean;
  readonly deployed: string;
  readonly nextRunAt: string | null;
}

const listed = async (dagId: string): Promise<Listed | undefined> =>
  (await json<Listed[]>(['dags', 'list'])).find((each) => each.dagId === dagId);

const runs = (dagId: string) =>
  json<{ runId: string; workflowId: string; state: string; type: string }[]>([
    'runs',
    'list',
    '--dag',
    dagId,
  ]);

test('a paused DAG is deployed, starts nothing, and makes up what it missed when it is unpaused', async () => {
  expect(await listed('nightly')).toMatchObject({ paused: false, deployed: 'no', nextRunAt: null });
  expect(await json(['dags', 'pause', 'nightly'])).toMatchObject({
    paused: true,
    changed: true,
    deployed: false,
  });

  const shown = await ingot(home, ['dags', 'deploy', '--dry-run'], env);
  expect(shown.stdout).toMatch(/^\+ nightly {2}create\n {4}schedule: 0 0 \* \* \* UTC\n {4}startDate: /m);
  expect(shown.stdout).toMatch(/^\+ yearly {2}create\n {4}schedule: 0 0 1 1 \* Europe\/Berlin\n/m);
  expect(shown.stdout).toMatch(/Would change \d of \d schedules\.\n$/);
  expect(await listed('yearly')).toMatchObject({ deployed: 'no' });

  const { changes } = await json<{ changes: { dagId: string; action: string }[] }>(['dags', 'deploy']);
  expect(changes).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ dagId: 'nightly', action: 'create' }),
      expect.objectContaining({ dagId: 'yearly', action: 'create' }),
    ]),
  );
  expect((await ingot(home, ['dags', 'deploy'], env)).stdout).toContain('Every schedule is as declared.');
  expect(await listed('nightly')).toMatchObject({ paused: true, deployed: 'yes', nextRunAt: null });
  expect((await listed('yearly'))?.nextRunAt).toMatch(/-12-31T23:00:00Z$/);
  expect(await runs('nightly')).toEqual([]);

  expect(await json(['dags', 'unpause', 'nightly'])).toMatchObject({
    paused: false,
    changed: true,
    ticked: true,
  });
  await eventually('three runs', async () => {
    const all = await runs('nightly');
    return all.length === 3 && all.every((run) => run.state === 'success' && run.type === 'scheduled')
      ? all
      : null;
  });
  expect((await ingot(home, ['dags', 'list'], env)).stdout).toMatch(
    /^nightly +1 +0 0 \* \* \* UTC +\d{4}-\d\d-\d\d 00:00:00/m,
  );
});

test('a triggered run is started and left alone, with its id and where to see it', async () => {
  const result = await ingot(
    home,
    ['dags', 'trigger', 'nightly', '--date', '2026-01-01', '--param', 'times=3'],
    env,
  );
  expect(result).toMatchObject({ code: 0 });
  expect(result.stdout).toMatch(
    /^nightly-2026-01-02T00:00:00Z {2}started {2}run [0-9a-f-]{36}\nhttp:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows\/nightly-/,
  );
  await eventually('its success', async () => {
    const run = (await runs('nightly')).find((each) => each.workflowId === 'nightly-2026-01-02T00:00:00Z');
    return run?.state === 'success' || null;
  });
  const wrong = await ingot(
    home,
    ['dags', 'trigger', 'nightly', '--date', '2026-01-01', '--param', 'times=x'],
    env,
  );
  expect(wrong).toMatchObject({ code: 2, stdout: '' });
  expect(wrong.stderr).toContain('param times: expected an integer; found "x"');
});

test('a run that waits for its turn says which run is in its way', async () => {
  const first = await json<{ runId: string }>(['dags', 'trigger', 'narrow', '--date', '2026-01-01']);
  await eventually('the first run', async () => (await runs('narrow')).length === 1 || null);
  const second = await json<{ runId: string }>(['dags', 'trigger', 'narrow', '--date', '2026-01-02']);
  await eventually('the second run', async () => (await runs('narrow')).length === 2 || null);
  const shown = await ingot(home, ['runs', 'show', second.runId], env);
  expect(shown.stdout).toMatch(/^narrow-2026-01-03T00:00:00Z {2}queued {2}manual/);
  expect(shown.stdout).toContain(
    'waits for its turn: maxActiveRuns 1 of narrow is reached by narrow-2026-01-02T00:00:00Z',
  );
  expect(await json(['runs', 'show', second.runId])).toMatchObject({
    run: { queued: true },
    waiting: { maxActiveRuns: 1, active: ['narrow-2026-01-02T00:00:00Z'], ahead: 0 },
  });
  expect(await json(['runs', 'cancel', first.runId])).toMatchObject({ state: 'cancelled' });
  await eventually('its turn', async () => {
    const { run } = await json<{ run: { queued: boolean } }>(['runs', 'show', second.runId]);
    return !run.queued || null;
  });
  expect(await json(['runs', 'cancel', second.runId])).toMatchObject({ state: 'cancelled' });
});

test('the schedule of a DAG that is gone is named by a deploy and removed by --prune', async () => {
  const without = { INGOT_TEST_WITHOUT_YEARLY: '1' };
  const kept = await ingot(home, ['dags', 'deploy'], { ...env, ...without });
  expect(kept.stdout).toMatch(/^\? yearly {2}orphaned; --prune removes it$/m);
  expect(await json(['dags', 'deploy', '--prune'], without)).toMatchObject({
    applied: true,
    changes: expect.arrayContaining([expect.objectContaining({ dagId: 'yearly', action: 'remove' })]),
  });
  expect(await listed('yearly')).toMatchObject({ deployed: 'no' });
});
