import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunRecord } from '../../ports/ledger.ts';
import { ingot as run, type CliRun } from '../support/cli.ts';
import { homeFolder } from '../support/home-folder.ts';
import { allGone, eventually, processesOf, recordOf } from '../support/processes.ts';

const folder = homeFolder();
const { home } = folder;
const env = { INGOT_DAGS: join(import.meta.dirname, '../support/operated-dags.ts') };
const id = 'invoices-2026-11-02T00:00:00Z';

function ingot(...args: readonly string[]): Promise<CliRun> {
  return run(home, args, env);
}

async function good(...args: readonly string[]): Promise<string> {
  const result = await ingot(...args);
  expect(result, result.stderr).toMatchObject({ code: 0 });
  return result.stdout;
}

async function runs(...args: readonly string[]): Promise<readonly RunRecord[]> {
  return JSON.parse(await good('runs', 'list', '--json', ...args)) as readonly RunRecord[];
}

async function untilExplained(text: RegExp): Promise<string> {
  return eventually(`the explanation ${text}`, async () => {
    const { stdout } = await ingot('runs', 'explain', id);
    return text.test(stdout) ? stdout : null;
  });
}

beforeAll(async () => {
  await good('dev', '--detach');
  await good('dags', 'deploy');
});

afterAll(async () => {
  const record = recordOf(home);
  expect(await ingot('down')).toMatchObject({ code: 0 });
  if (record !== null) await allGone([...processesOf(record), record.supervisor]);
  folder.remove();
});

test('params that do not fit are all named, and nothing starts', async () => {
  const params = ['limit=many', 'currency=GBP', 'colour=red'].flatMap((each) => ['--param', each]);
  for (const command of [
    ['dags', 'trigger', 'invoices', '--date', '2026-11-01', ...params],
    ['run', 'invoices', '--date', '2026-11-01', ...params],
    [
      'backfill',
      'create',
      'invoices',
      '--from=2026-11-01',
      '--to=2026-11-02',
      '--params={"limit": "many", "currency": "GBP", "colour": "red"}',
    ],
  ]) {
    const refused = await ingot(...command);
    expect(refused.code).not.toBe(0);
    for (const problem of [/limit.*an integer/, /currency.*"EUR", "USD"/, /colour/])
      expect(refused.stderr).toMatch(problem);
  }
  expect(await runs('--dag', 'invoices')).toEqual([]);
});

test('a run waits for its pool, is held, cleared, approved, and starts what waits for its asset', async () => {
  await good('dags', 'trigger', 'invoices', '--date', '2026-11-01', '--param', 'currency=EUR');
  await untilExplained(/fetch +waiting +.*pool erp does not exist/);
  expect(await good('pools', 'set', 'erp', '1', '--description', 'connections')).toContain('1 slot');
  expect(JSON.parse(await good('pools', 'list', '--json'))).toMatchObject([{ name: 'erp', slots: 1 }]);

  const held = await untilExplained(/ {2}held$/m);
  expect(held).toMatch(/price\[1\] +failed +TerminalError: us: expected rates/);
  expect(held).toMatch(/send +upstream_failed +because of/);
  expect(await runs('--state', 'held')).toMatchObject([{ workflowId: id, held: true }]);
  expect((await ingot('tasks', 'clear', id, '--task', 'nobody')).stderr).toMatch(
    /nobody.*one of fetch, price/s,
  );
  expect(await good('tasks', 'clear', id, '--dry-run')).toMatch(/price\[1\] +failed +runs again/);
  expect(await runs('--state', 'held')).toHaveLength(1);

  expect(await good('tasks', 'clear', id)).toContain('was cleared; it goes on.');
  await untilExplained(/release +waiting +waits: approval/);
  expect((await ingot('tasks', 'approve', id, 'send')).stderr).toMatch(/send.*an approval/s);
  expect(await good('tasks', 'approve', id, 'release', '--note', 'agreed')).toContain('it goes on.');
  await eventually('the end', async () => (await runs('--state', 'success')).length === 2 || null);
  const [event] = await runs('--dag', 'told');
  expect(event).toMatchObject({ type: 'event', logicalDate: '2026-11-01T00:00:00Z' });
  const shown = await good('runs', 'show', id);
  expect(shown).toMatch(/cleared what had failed\n.*approved release: agreed/);
  expect(shown).toMatch(/price\[1\] +2 +success/);
  expect(await good('tasks', 'logs', id, 'fetch')).toContain('asking the ERP');
  expect(await good('assets', 'show', 'invoices.sent')).toMatch(/told +invoices\.sent +up to date/);
});

test('a run that no worker has begun is explained and cancelled, and nothing that is no run', async () => {
  const begin = async (more: Record<string, string> = {}) => {
    const other = { INGOT_DAGS: join(import.meta.dirname, '../support/dags.ts'), ...more };
    const trigger = ['dags', 'trigger', 'quick', '--date', '2026-01-05', '--json'];
    return JSON.parse((await run(home, trigger, other)).stdout) as { workflowId: string; runId: string };
  };
  const strange = await begin();
  expect(await good('runs', 'explain', strange.workflowId)).toContain(
    'no worker asked so far knows the DAG quick',
  );
  expect(await good('runs', 'cancel', strange.workflowId)).toContain(`${strange.workflowId} is cancelled`);
  expect((await ingot('runs', 'explain', strange.workflowId)).code).toBe(2);

  const elsewhere = { INGOT_TASK_QUEUE: 'nobodys' };
  const lonely = await begin(elsewhere);
  // Temporal's list of runs may lag behind.
  await eventually('the explanation by run id', async () => {
    const { stdout } = await run(home, ['runs', 'explain', lonely.runId], elsewhere);
    return stdout.includes('no worker polls the task queue nobodys') || null;
  });
  const cancelled = await run(home, ['runs', 'cancel', lonely.workflowId, '--json'], elsewhere);
  expect(JSON.parse(cancelled.stdout)).toEqual({
    runId: lonely.runId,
    workflowId: lonely.workflowId,
    state: 'cancelling',
  });

  const range = ['--from', '2026-01-06', '--to', '2026-01-07', '--detach'];
  const other = { INGOT_DAGS: join(import.meta.dirname, '../support/dags.ts'), ...elsewhere };
  expect(await run(home, ['backfill', 'create', 'quick', ...range], other)).toMatchObject({ code: 0 });
  for (const none of ['assets:told', 'ingot-backfill-quick-2026-01-06-2026-01-07']) {
    const refused = await ingot('runs', 'cancel', none);
    expect(refused, none).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain('expected a run id');
  }
});

test('a closed run is marked and starts again with what had succeeded; a pool in use is not deleted', async () => {
  expect(await good('tasks', 'mark', 'failed', id, 'send', '--dry-run')).toMatch(/send +success +failed/);
  expect(await good('tasks', 'mark', 'failed', id, 'send')).toContain('it starts again as run');
  await eventually('the hold', async () => (await runs('--state', 'held')).length === 1 || null);
  const marked = await good('runs', 'show', id);
  expect(marked).toMatch(/fetch +1 +success/);
  expect(marked).toMatch(/send +\d +failed .*Marked failed/);
  expect(await good('runs', 'cancel', id)).toContain('cancelled');
  expect(await runs('--state', 'held')).toEqual([]);
  expect(await good('pools', 'delete', 'erp')).toContain('erp');
  expect((await ingot('pools', 'show', 'erp')).stderr).toContain('erp');
});
