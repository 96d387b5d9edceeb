import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { cliEnvironment, ingot, ingotScript } from '../support/cli.ts';
import { homeFolder } from '../support/home-folder.ts';
import { allGone, processesOf, recordOf } from '../support/processes.ts';

// Whole stacks start and stop here, on machines that may be busy.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const { home, remove } = homeFolder();

beforeAll(async () => {
  const started = await ingot(home, ['dev', '--detach']);
  expect(started).toMatchObject({ code: 0 });
  expect(started.stdout).toContain('The stack runs in the background; `ingot down` stops it.');
  expect(started.stdout).not.toMatch(/postgres:\/\/|password=/);
});

afterAll(async () => {
  const record = recordOf(home);
  expect(await ingot(home, ['down'])).toMatchObject({ code: 0, stdout: 'The stack is down.\n' });
  if (record !== null) await allGone([...processesOf(record), record.supervisor]);
  remove();
});

async function json(args: readonly string[], code = 0): Promise<Record<string, unknown>> {
  const result = await ingot(home, [...args, '--json']);
  expect(result, result.stderr).toMatchObject({ code });
  return JSON.parse(result.stdout) as Record<string, unknown>;
}

test('a run ends with code 0, its result on standard output and its progress on standard error, line by line', async () => {
  const result = await ingot(home, ['run', 'quick', '--date', '2026-01-01']);
  expect(result).toMatchObject({ code: 0 });
  expect(result.stdout).toMatch(
    /^quick-2026-01-02T00:00:00Z {2}success {2}\d.*run [0-9a-f-]{36}\nhttp:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows\/quick-/,
  );
  expect(result.stderr).toMatch(/^quick 2026-01-01 {2}two {2}success/m);
  // oxlint-disable-next-line no-control-regex
  expect(result.stdout + result.stderr).not.toMatch(/\u001B/);
});

test('parameters are read by their declared types', async () => {
  const result = await json(['run', 'quick', '--date', '2026-01-02', '--param', 'times=21']);
  expect(result).toMatchObject({
    state: 'success',
    workflowId: 'quick-2026-01-03T00:00:00Z',
    message: null,
    run: { params: { times: 21 } },
  });
  expect(result['attempts']).toMatchObject([
    { taskId: 'one', attempt: 1, state: 'success', output: { n: 21 } },
    { taskId: 'two', attempt: 1, state: 'success', output: 42 },
  ]);
});

test('a failing run ends with code 1 and says what was expected and found', async () => {
  const result = await ingot(home, ['run', 'failing', '--date', '2026-01-01']);
  expect(result).toMatchObject({ code: 1 });
  expect(result.stdout).toContain('expected a sound input; found a rotten one. Give another.');
  expect(result.stdout + result.stderr).not.toContain('    at ');
  expect(await json(['run', 'failing', '--date', '2026-01-01'], 1)).toMatchObject({ state: 'failed' });
});

test.each([
  [['run', 'quik', '--date', '2026-01-01'], /expected the id of a DAG .*; found quik\. Did you mean quick\?/],
  [['run', 'quick', '--date', 'today'], /--date: expected YYYY-MM-DD .*"today"/],
  [['run', 'quick'], /required option '--date <date>'/],
  [
    ['run', 'quick', '--date', '2026-01-01', '--param', 'times=many'],
    /param times: expected an integer; found "many"/,
  ],
  [['run', 'quick', '--date', '2026-01-01', '--param', 'time=1'], /param time: expected one of times/],
  [['run', 'quick', '--date', '2026-01-01', '--input', 'x.csv'], /expected a DAG that takes --input/],
  [['rnus'], /Did you mean runs\?/],
  [['query'], /expected a select or --named <name>; found neither/],
  [['query', 'select 1', '--format', 'xml'], /expected --format table \| json \| csv; found xml/],
  [['generate', 'paymets'], /Did you mean payments\?/],
  [['runs', 'list', '--state', 'done'], /expected --state queued \| running \| held \| success/],
])('%j is wrong use: code 2 and what was meant', async (args, message) => {
  const result = await ingot(home, args);
  expect(result, result.stderr).toMatchObject({ code: 2, stdout: '' });
  expect(result.stderr).toMatch(message);
  expect(result.stderr).not.toContain('    at ');
});

test('runs are listed and shown, by run id and by workflow id, and an unknown one names the nearest', async () => {
  const { runId } = await json(['run', 'quick', '--date', '2026-01-05']);
  const list = (await json(['runs', 'list', '--dag', 'quick', '--limit', '1'])) as unknown as {
    runId: string;
  }[];
  expect(list).toMatchObject([
    { runId, dagId: 'quick', state: 'success', logicalDate: expect.stringMatching(/^2026-01-05T00:00:00/) },
  ]);
  for (const name of [String(runId), 'quick-2026-01-06T00:00:00Z'])
    expect(await json(['runs', 'show', name])).toMatchObject({
      run: { runId },
      publications: [],
      link: expect.stringContaining('/quick-2026-01-06'),
    });
  const shown = await ingot(home, ['runs', 'show', String(runId)]);
  expect(shown.stdout).toMatch(/^two +1 +success/m);
  const unknown = await ingot(home, ['runs', 'show', 'quick-2026-01-07T00:00:00Z']);
  expect(unknown).toMatchObject({ code: 2 });
  expect(unknown.stderr).toMatch(/Did you mean .*quick-2026-01-06T00:00:00Z/);
});

test('a run that is under way is cancelled, and its command ends with code 1', async () => {
  const running = ingot(home, ['run', 'endless', '--date', '2026-01-01', '--json']);
  for (;;) {
    const [run] = (await json(['runs', 'list', '--dag', 'endless', '--state', 'running'])) as unknown as {
      runId: string;
    }[];
    if (run === undefined) continue;
    expect(await json(['runs', 'cancel', run.runId])).toEqual({
      runId: run.runId,
      workflowId: 'endless-2026-01-02T00:00:00Z',
      state: 'cancelled',
    });
    break;
  }
  const result = await running;
  expect(result).toMatchObject({ code: 1 });
  expect(JSON.parse(result.stdout)).toMatchObject({ state: 'cancelled' });
});

test('DAGs are listed and shown with their graph', async () => {
  const list = (await json(['dags', 'list'])) as unknown as { dagId: string }[];
  expect(list.map((dag) => dag.dagId)).toEqual(
    expect.arrayContaining(['payments', 'customer_purchases', 'quick']),
  );
  expect(await json(['dags', 'show', 'quick'])).toMatchObject({
    plan: { dagId: 'quick', tasks: [{ id: 'one' }, { id: 'two' }] },
  });
  const shown = await ingot(home, ['dags', 'show', 'quick']);
  expect(shown.stdout).toContain('one\n└─ two\n');
});

test('a file of the user’s own goes through payments to tables, history, quarantine and queries', async () => {
  const file = join(home, '..', 'my payments.csv');
  writeFileSync(
    file,
    [
      'txn_id,merchant_id,user_id,amount,currency,status,txn_ts,country',
      't1,m1,u1,10.00,USD,APPROVED,2026-02-01T10:00:00Z,US',
      't2,m1,u2,20.50,EUR,APPROVED,2026-02-01T11:00:00Z,DE',
      't3,m1,u3,ten,XXX,APPROVED,2026-02-01T12:00:00Z,DE',
    ].join('\n'),
  );
  const run = await json(['run', 'payments', '--date', '2026-02-01', '--input', file]);
  expect(run).toMatchObject({ state: 'success' });

  const tables = (await json(['lake', 'tables'])) as unknown as { name: string; rows: number }[];
  expect(tables.find((table) => table.name === 'payments.curated')).toMatchObject({
    rows: 2,
    partitions: 1,
    zone: 'silver',
  });

  const history = (await json(['lake', 'history', 'payments.curated'])) as unknown as unknown[];
  expect(history).toMatchObject([
    {
      runId: run['runId'],
      taskId: 'silver',
      attempt: 1,
      verdict: expect.stringMatching(/pass|warn/),
      inputs: expect.arrayContaining([expect.objectContaining({ table: 'payments.bronze' })]),
    },
  ]);
  expect((await ingot(home, ['lake', 'history', 'payments.curated'])).stdout).toMatch(
    /payments-2026-02-02T00:00:00Z {2}silver {2}2 rows[^]*plan [0-9a-f]{8} {2}sql [0-9a-f]{8}/,
  );

  expect(await json(['lake', 'quarantine', 'payments', '--date', '2026-02-01'])).toMatchObject({
    table: 'payments.audit',
    reasons: { amount_not_a_number: 1, unknown_currency: 1 },
    sample: [{ reasons: ['amount_not_a_number', 'unknown_currency'] }],
  });

  const select = `select txn_id, amount from payments.curated where txn_date = date '2026-02-01' order by txn_id`;
  expect(await json(['query', select])).toEqual([
    { txn_id: 't1', amount: '10.00' },
    { txn_id: 't2', amount: '20.50' },
  ]);
  expect((await ingot(home, ['query', select, '--format', 'csv'])).stdout).toBe(
    'txn_id,amount\nt1,10.00\nt2,20.50\n',
  );
  expect((await ingot(home, ['query', select])).stdout).toMatch(
    /^txn_id +amount\nt1 +10\.00\nt2 +20\.50\n2 rows\n$/,
  );
  expect(await json(['query', 'select merchant_id from merchant_kpis', '--connection', 'warehouse'])).toEqual(
    [{ merchant_id: 'm1' }],
  );

  expect((await ingot(home, ['lake', 'sync'])).stdout).toBe(
    'The ledger itself is the catalog of the embedded engine: there is nothing to bring in line.\n',
  );
  expect(await json(['lake', 'sync', '--table', 'payments.curated', '--dry-run'])).toEqual({
    dryRun: true,
    catalog: null,
    changes: [],
  });

  expect(await json(['lake', 'vacuum', '--dry-run'])).toMatchObject({
    dryRun: true,
    versions: 0,
    orphans: [],
    assetEvents: 0,
  });
  const unknown = await ingot(home, ['lake', 'history', 'payments.currated']);
  expect(unknown).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Did you mean payments.curated?'),
  });
  expect(await ingot(home, ['query', 'select * from payments.nothing'])).toMatchObject({
    code: 1,
    stdout: '',
  });
});

test.each([['lake'], ['warehouse']])(
  'rows beyond --limit are told of, not left out unsaid: %s',
  async (where) => {
    const select =
      where === 'lake' ? 'select * from range(3)' : 'select * from generate_series(0, 2) as range';
    const connection = where === 'lake' ? [] : ['--connection', where];
    const three = await ingot(home, ['query', select, '--format', 'csv', '--limit', '3', ...connection]);
    expect(three).toMatchObject({ code: 0, stdout: 'range\n0\n1\n2\n', stderr: '' });
    expect(
      await ingot(home, ['query', select, '--format', 'csv', '--limit', '2', ...connection]),
    ).toMatchObject({
      code: 0,
      stdout: 'range\n0\n1\n',
      stderr: 'The first 2 rows; there are more: --limit tells how many to print.\n',
    });
  },
);

test('a reader that closes the pipe early is no error', () => {
  const command = `"${process.execPath}" "${ingotScript}" query "select * from range(200000)" --format csv --limit 200000 | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const result = spawnSync('bash', ['-c', command], {
    env: cliEnvironment(home),
    cwd: join(home, '..'),
    encoding: 'utf8',
  });
  expect(result).toMatchObject({ stdout: 'range\n0\n', stderr: '' });
});

test('every problem of every DAG is reported by check', async () => {
  const broken = join(home, '..', 'broken.ts');
  const activities = join(import.meta.dirname, '../../activities/index.ts');
  writeFileSync(
    broken,
    `import { dag } from ${JSON.stringify(activities)};
export const dags = [dag('a', { schedule: 'never' }, ({ task }) => { task('one', () => 1); task('one', () => 2); }), dag('b', {}, () => {})];`,
  );
  const result = await ingot(home, ['check', '--json', '--dags', broken]);
  expect(result).toMatchObject({ code: 1 });
  const { problems } = JSON.parse(result.stdout) as { problems: { place: string }[] };
  expect(problems.map((problem) => problem.place)).toEqual(
    expect.arrayContaining([expect.stringContaining('dag a'), expect.stringContaining('dag b')]),
  );
  expect(problems.length).toBeGreaterThanOrEqual(3);
  expect(await ingot(home, ['check'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('quick: 2 tasks'),
  });
});

test('SQL that means something else on Spark is reported by check, with its place and what to write', async () => {
  const folder = join(home, '..', 'models');
  mkdirSync(join(folder, 'sql'), { recursive: true });
  writeFileSync(
    join(folder, 'sql', 'curated.sql'),
    '\nselect bronze.*,\n  amount // 2 as half\nfrom bronze\n',
  );
  const [activities, contracts] = ['activities/index.ts', 'pipelines/payments/contract.ts'].map((path) =>
    JSON.stringify(join(import.meta.dirname, '../..', path)),
  );
  const define = (name: string, engine: string): string => {
    const file = join(folder, `${name}.ts`);
    writeFileSync(
      file,
      `import { dag, sqlModel, wholeTable } from ${activities};
import { bronze, curated } from ${contracts};
const model = sqlModel({
  folder: new URL('sql/', import.meta.url), engine: '${engine}',
  reads: { bronze: { of: bronze, at: wholeTable } }, writes: { curated: { to: curated, owns: wholeTable } },
});
export const dags = [dag('${name}', {}, ({ task }) => void task('compute', model, { bronze: { partitions: [] } } as never))];`,
    );
    return file;
  };
  const result = await ingot(home, ['check', '--dags', define('portable', 'auto')]);
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(/sql\/curated\.sql, line 3, column 10: \/\/ is not portable: .* Write cast/);
  expect(await ingot(home, ['check', '--dags', define('duckdb_only', 'duckdb')])).toMatchObject({ code: 0 });
});

test('doctor says what is found, and every setting with where it came from', async () => {
  const { ok, findings, settings } = await json(['doctor']);
  expect(ok).toBe(true);
  expect(findings).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        what: 'Stack',
        state: 'ok',
        found: expect.stringMatching(/^up, process \d+/),
      }),
    ]),
  );
  expect(settings).toEqual(
    expect.arrayContaining([expect.objectContaining({ key: 'home', value: home, origin: 'INGOT_HOME' })]),
  );
  const sick = await ingot(home, ['doctor', '--json'], {
    INGOT_LEDGER_URL: 'postgres://ann:hunter2@127.0.0.1:1/x',
    INGOT_WAREHOUSE_URL: 'env:NOT_SET_ANYWHERE',
  });
  expect(sick).toMatchObject({ code: 1 });
  expect(sick.stdout).not.toContain('hunter2');
  const wrong = (JSON.parse(sick.stdout) as { findings: { what: string; state: string }[] }).findings.filter(
    (finding) => finding.state === 'wrong',
  );
  expect(wrong.map((finding) => finding.what)).toEqual(['Database ledger', 'Database warehouse']);
});

test('the version names release and commit, help lists every command, and both are no errors', async () => {
  expect(await ingot(home, ['--version'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+(\+[0-9a-f]{9})?\n$/),
  });
  const help = await ingot(home, ['--help']);
  expect(help).toMatchObject({ code: 0, stderr: '' });
  for (const command of [
    'demo',
    'dev',
    'down',
    'run',
    'runs',
    'dags',
    'query',
    'lake',
    'generate',
    'migrate',
    'check',
    'doctor',
    'worker',
  ])
    expect(help.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
});

test('servers a command is told to use come before those of the stack that runs', async () => {
  const select = ['query', '--connection', 'warehouse', 'select 1'];
  const warehouse = { INGOT_WAREHOUSE_URL: 'postgres://nobody@127.0.0.1:1/none' };
  const elsewhere = await ingot(home, select, warehouse);
  expect(elsewhere).toMatchObject({ code: 1 });
  expect(elsewhere.stderr).toContain('127.0.0.1:1/none: expected a connection to Postgres');

  const temporal = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const run = await ingot(home, ['run', 'quick', '--date', '2026-01-20'], temporal);
  expect(run).toMatchObject({ code: 1 });
  expect(run.stderr).toContain('the Temporal server at 127.0.0.1:1 to answer');
});

test('the ledger is up to date after a start', async () => {
  expect(await json(['migrate'])).toEqual({ applied: [], prepared: [] });
});

test('Temporal killed under a run is started again, and the command that follows the run goes on', async () => {
  const running = ingot(home, ['run', 'endless', '--date', '2026-01-09', '--json']);
  const list = ['runs', 'list', '--dag', 'endless', '--state', 'running'];
  for (;;) if (((await json(list)) as unknown as unknown[]).length > 0) break;
  const temporal = recordOf(home)!.children.find((child) => child.name === 'Temporal')!;
  process.kill(temporal.program.pid, 'SIGKILL');
  const [run] = (await json(list)) as unknown as { runId: string }[];
  let cancelled = await ingot(home, ['runs', 'cancel', run!.runId]);
  while (cancelled.code !== 0) cancelled = await ingot(home, ['runs', 'cancel', run!.runId]);
  expect(JSON.parse((await running).stdout)).toMatchObject({ state: 'cancelled' });
});
