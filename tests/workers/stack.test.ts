import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { allGone, eventually, processesOf, recordOf } from '../support/processes.ts';
import { openStack, type Stack, type StackOptions } from '../../workers/stack/stack.ts';
import { lives } from '../../workers/stack/process-identity.ts';

// Whole stacks start and stop here, on machines that may be busy.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let home: string;
let said: string[];
const opened: { close(options?: { force?: boolean }): Promise<void> }[] = [];
const spawned: ChildProcess[] = [];

beforeEach(() => {
  // A path with a space: everything that starts a program must cope with it.
  const folder = mkdtempSync(join(tmpdir(), 'ingot stack '));
  chmodSync(folder, 0o755);
  home = join(folder, '.ingot');
  said = [];
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((stack) => stack.close({ force: true })));
  const record = recordOf(home);
  for (const child of spawned.splice(0)) child.kill('SIGKILL');
  if (record !== null) await allGone(processesOf(record));
  rmSync(join(home, '..'), { recursive: true, force: true });
});

const worker = [process.execPath, join(import.meta.dirname, '../support/ready-worker.ts')];

async function open(options: Partial<StackOptions> = {}): Promise<Stack> {
  const parts = { temporal: true, postgres: true };
  const stack = await openStack({
    home,
    env: process.env,
    parts,
    retentionDays: 1,
    worker,
    say: (line) => said.push(line),
    ...options,
  });
  opened.push(stack);
  return stack;
}

/** Keeps the ports every stack wishes for first, so that other stacks of this machine do not come in between. */
async function wellKnownPortsTaken(): Promise<AsyncDisposable> {
  const servers = [7233, 8233, 54_329].map((port) => createServer().listen(port, '127.0.0.1'));
  // One that is taken already is just as well.
  await Promise.all(
    servers.map(
      (server) => new Promise<void>((done) => server.once('listening', done).once('error', () => done())),
    ),
  );
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
    },
  };
}

/** A process of its own that owns the stack of this home. */
function spawnOwner(): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../support/stack-owner.ts'), home], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  spawned.push(child);
  return child;
}

/** Killed, and gone: until then it holds its locks. */
async function killOwner(owner: ChildProcess): Promise<void> {
  const gone = new Promise((exit) => owner.once('exit', exit));
  owner.kill('SIGKILL');
  await gone;
}

/** A guard has a helper beside its program, which outlives it and does its work. */
function childrenOf(pid: number): number[] {
  return execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child!);
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

const ready = (): Promise<ReturnType<typeof recordOf>> =>
  eventually('a ready stack', () => (recordOf(home)?.state === 'ready' ? recordOf(home) : null));

test('a stack has a migrated ledger, a warehouse and a Temporal server, and leaves no process when it is closed', async () => {
  const stack = await open();
  expect(await query(stack.env['INGOT_LEDGER_URL']!, 'select count(*)::int from ingot.runs')).toEqual([0]);
  expect(await query(stack.env['INGOT_WAREHOUSE_URL']!, 'select current_database()')).toEqual(['warehouse']);
  // The page's own connection to the server may need a moment.
  const namespace = await eventually('the Temporal UI', async () => {
    const response = await fetch(`${stack.env['INGOT_TEMPORAL_UI']}/api/v1/namespaces/default`);
    return response.ok ? response.json() : null;
  });
  expect(namespace).toMatchObject({ config: { workflowExecutionRetentionTtl: '86400s' } });
  const processes = processesOf(recordOf(home)!);
  expect(processes).toHaveLength(6);
  expect(processes.every(lives)).toBe(true);
  await stack.close();
  expect(processes.filter(lives)).toEqual([]);
  expect(recordOf(home)).toMatchObject({ state: 'stopped', children: [], env: {} });
});

test('a second start keeps ports and data', async () => {
  await using _ = await wellKnownPortsTaken();
  const first = await open();
  await query(first.env['INGOT_WAREHOUSE_URL']!, 'create table kept as select 7 as v');
  await first.close();
  const second = await open();
  expect(second.env).toEqual(first.env);
  expect(await query(second.env['INGOT_WAREHOUSE_URL']!, 'select v from kept')).toEqual([7]);
});

test('ports that another program took are replaced', async () => {
  await using _ = await wellKnownPortsTaken();
  const first = await open();
  const { ports } = recordOf(home)!;
  await first.close();
  const thieves = await Promise.all(
    Object.values(ports).map(async (port) => {
      const server = createServer();
      await new Promise<void>((listening, failed) => {
        server.once('error', failed);
        server.listen(port, '127.0.0.1', listening);
      });
      return server;
    }),
  );
  try {
    const second = await open();
    expect(await query(second.env['INGOT_LEDGER_URL']!, 'select 1')).toEqual([1]);
    expect(
      Object.values(recordOf(home)!.ports).filter((port) => Object.values(ports).includes(port)),
    ).toEqual([]);
  } finally {
    for (const server of thieves) server.close();
  }
});

test('kill -9 of the owner ends its programs, and the next start owns the stack again', async () => {
  const owner = spawnOwner();
  const record = (await ready())!;
  await killOwner(owner);
  const stack = await open();
  expect(stack.owned).toBe(true);
  expect(processesOf(record).filter(lives)).toEqual([]);
  expect(await query(stack.env['INGOT_LEDGER_URL']!, 'select 1')).toEqual([1]);
});

test('programs whose owner and guards were all killed are ended by the next start', async () => {
  const owner = spawnOwner();
  const record = (await ready())!;
  // Held still, so that it can neither mend nor end anything before it is killed as well.
  owner.kill('SIGSTOP');
  for (const child of record.children)
    for (const pid of [child.guard.pid, ...childrenOf(child.guard.pid)])
      if (pid !== child.program.pid) process.kill(pid, 'SIGKILL');
  await killOwner(owner);
  expect(record.children.map((child) => lives(child.program))).toEqual([true, true, true]);
  await open();
  expect(said.join('\n')).toContain('Ending what an interrupted start left running');
  expect(record.children.filter((child) => lives(child.program))).toEqual([]);
});

test.each([0, 150, 400, 700, 1100])(
  'a start killed about %i ms in leaves nothing that stops the next one',
  async (headStartMs) => {
    const owner = spawnOwner();
    await eventually('the owner to begin', () => recordOf(home));
    await new Promise((passed) => setTimeout(passed, headStartMs));
    const record = recordOf(home)!;
    await killOwner(owner);
    const stack = await open();
    expect(await query(stack.env['INGOT_LEDGER_URL']!, 'select count(*)::int from ingot.runs')).toEqual([0]);
    expect(processesOf(record).filter(lives)).toEqual([]);
  },
);

test('aborting a start ends what it had started', async () => {
  const stop = new AbortController();
  const starting = open({ signal: stop.signal });
  const record = await eventually('a first program', () =>
    recordOf(home)?.children.length ? recordOf(home) : null,
  );
  stop.abort(new Error('the user pressed Ctrl-C'));
  await expect(starting).rejects.toThrow('the user pressed Ctrl-C');
  expect(processesOf(record).filter(lives)).toEqual([]);
  expect(recordOf(home)).toMatchObject({ state: 'stopped' });
});

test('a data folder that initdb never finished is made again', async () => {
  mkdirSync(join(home, 'postgres', 'data', 'base'), { recursive: true });
  mkdirSync(join(home, 'postgres', 'data.draft-12345'), { recursive: true });
  writeFileSync(join(home, 'postgres', 'data', 'PG_VERSION'), '18\n');
  const stack = await open();
  expect(said).toContain(
    'An earlier start was interrupted while it made the Postgres data folder: making it again.',
  );
  expect(await query(stack.env['INGOT_LEDGER_URL']!, 'select 1')).toEqual([1]);
  expect(readdirSync(join(home, 'postgres')).toSorted()).toEqual(['data', 'initdb.log', 'postgres.log']);
});

test('a finished data folder that has lost a file is left to the user, with what Postgres misses', async () => {
  await (await open()).close();
  const data = join(home, 'postgres', 'data');
  rmSync(join(data, 'global', 'pg_control'));
  await expect(open()).rejects.toThrow(/could not open file ".*pg_control"/);
  expect(readdirSync(data)).toContain('ingot.json');
});

test('a lock file that is none is named, with a remedy', async () => {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'stack.lock'), 'whatever a broken disk may have left here');
  await expect(open()).rejects.toThrow(/stack\.lock: expected a lock file .* Remove the file/);
});

test('a record of the running stack that something else overwrote is named, and the stack can be ended', async () => {
  const owner = spawnOwner();
  const record = (await ready())!;
  writeFileSync(join(home, 'stack.json'), '{"broken');
  await expect(open()).rejects.toThrow(/stack\.json: expected what the running stack wrote.*Ctrl-C/s);
  owner.kill('SIGTERM');
  await allGone(processesOf(record));
  expect((await open()).owned).toBe(true);
});

test('a postmaster.pid that names a living stranger does not keep Postgres from starting', async () => {
  await (await open()).close();
  writeFileSync(
    join(home, 'postgres', 'data', 'postmaster.pid'),
    `${process.pid}\n${join(home, 'postgres', 'data')}\n`,
  );
  const stack = await open();
  expect(await query(stack.env['INGOT_LEDGER_URL']!, 'select 1')).toEqual([1]);
});

test.each(['Postgres', 'Temporal', 'Worker'])(
  '%s killed with -9 is started again on the same port, and that is said',
  async (name) => {
    const stack = await open();
    const before = recordOf(home)!;
    const victim = before.children.find((child) => child.name === name)!;
    process.kill(victim.program.pid, 'SIGKILL');
    await eventually(`${name} to run again`, () => said.includes(`${name} runs again.`) || null);
    expect(said[0]).toMatch(new RegExp(`^${name} was ended by .*: starting it again`));
    const after = recordOf(home)!;
    expect(after.ports).toEqual(before.ports);
    expect(after.children.find((child) => child.name === name)!.program).not.toEqual(victim.program);
    expect(await query(stack.env['INGOT_LEDGER_URL']!, 'select 1')).toEqual([1]);
    await stack.close();
    expect([...processesOf(before), ...processesOf(after)].filter(lives)).toEqual([]);
  },
);

test('a killed guard takes its program along, which is started again', async () => {
  await open();
  const victim = recordOf(home)!.children.find((child) => child.name === 'Temporal')!;
  process.kill(victim.guard.pid, 'SIGKILL');
  await eventually('Temporal to run again', () => said.includes('Temporal runs again.') || null);
  expect(lives(victim.program)).toBe(false);
});

test('a second command joins the stack, and the owner waits for it before it stops', async () => {
  const owner = spawnOwner();
  const record = (await ready())!;
  const joined = await open();
  expect(joined.owned).toBe(false);
  expect(joined.env).toEqual(record.env);
  owner.kill('SIGTERM');
  // The owner has taken note when it no longer lets anybody wait: the programs still answer.
  expect(await query(joined.env['INGOT_LEDGER_URL']!, 'select 1')).toEqual([1]);
  await joined.close();
  await allGone(processesOf(record));
  expect(recordOf(home)).toMatchObject({ state: 'stopped' });
});

test('a worker that cannot start fails the start with the end of its log', async () => {
  const broken = [process.execPath, '-e', 'console.error("no such pipeline"); process.exit(3)', '--'];
  await expect(open({ worker: broken })).rejects.toThrow(
    /expected Worker to (answer|start); found [^]*no such pipeline/,
  );
  expect(recordOf(home)).toMatchObject({ state: 'stopped', children: [] });
});

test.skipIf(process.getuid?.() !== 0)(
  'as root, a home that no other account can enter is no obstacle',
  async () => {
    chmodSync(join(home, '..'), 0o700);
    const first = await open();
    await query(first.env['INGOT_WAREHOUSE_URL']!, 'create table kept as select 7 as v');
    await first.close();
    expect(said).toEqual([
      expect.stringMatching(
        /^Postgres does not run as root, and its account cannot reach .*: its data goes to \/var\/lib\/ingot\//,
      ),
    ]);
    const second = await open();
    expect(await query(second.env['INGOT_WAREHOUSE_URL']!, 'select v from kept')).toEqual([7]);
    expect(said).toHaveLength(1);
    rmSync(readFileSync(join(home, 'postgres', 'moved-to'), 'utf8').trim(), { recursive: true });
  },
);

test('a home that cannot be made is reported with its place and a remedy', async () => {
  const file = join(home, '..', 'a file');
  writeFileSync(file, '');
  home = join(file, 'home');
  await expect(
    openStack({
      home,
      env: process.env,
      parts: { temporal: true, postgres: true },
      retentionDays: 1,
      worker,
      say: () => {},
    }),
  ).rejects.toThrow(/a file\/home: expected a folder .* can be written; found ENOTDIR.*--home/s);
  home = join(file, '..', '.ingot');
});
