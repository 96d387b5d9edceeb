import { spawn, spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cliEnvironment, ended, ingot, ingotScript, startIngot } from '../support/cli.ts';
import { homeFolder } from '../support/home-folder.ts';
import { allGone, eventually, processesOf, recordOf } from '../support/processes.ts';
import { lives, type ProcessIdentity } from '../../workers/stack/process-identity.ts';

// Whole stacks start and stop here, on machines that may be busy.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let home: string;
let remove: () => void;
/** Every process any stack of this home ever recorded. */
let seen: ProcessIdentity[];
let watching: NodeJS.Timeout;

beforeEach(() => {
  ({ home, remove } = homeFolder());
  seen = [];
  watching = setInterval(() => {
    const record = recordOf(home);
    if (record !== null) seen.push(...processesOf(record));
  }, 10);
});

afterEach(async () => {
  clearInterval(watching);
  await allGone(seen);
  remove();
});

const until = (what: string, reached: () => boolean): Promise<true> =>
  eventually(what, () => reached() || null);
const programs = (count: number) => () => (recordOf(home)?.children.length ?? 0) >= count;

/** Moments of a start, each told by what is recorded of it. */
const moments: readonly (readonly [string, () => boolean])[] = [
  ['nothing runs', () => true],
  ['it has begun', () => recordOf(home) !== null],
  ['a first server runs', programs(1)],
  ['both servers run', programs(2)],
  ['the worker runs', programs(3)],
  ['it is up', () => recordOf(home)?.state === 'ready'],
];

test.each(moments)('Ctrl-C when %s ends dev with code 130 and leaves no process', async (moment, reached) => {
  const dev = startIngot(home, ['dev']);
  const end = ended(dev);
  await until(moment, reached);
  dev.kill('SIGINT');
  const { code, stderr } = await end;
  // Before Node runs our code, the signal's own action ends the process.
  expect(stderr).not.toContain('    at ');
  expect(moment === 'nothing runs' ? [130, null] : [130]).toContain(code);
  await allGone(seen);
});

test.each([
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s ends dev with code %i', async (signal, code) => {
  const dev = startIngot(home, ['dev']);
  const end = ended(dev);
  await until('the stack', () => recordOf(home)?.state === 'ready');
  dev.kill(signal);
  expect(await end).toMatchObject({ code });
  expect(seen.filter(lives)).toEqual([]);
  expect(recordOf(home)).toMatchObject({ state: 'stopped' });
});

test('a second Ctrl-C ends the command at once, and the guards end its programs', async () => {
  const dev = startIngot(home, ['dev']);
  const end = ended(dev);
  await until('the stack', () => recordOf(home)?.state === 'ready');
  dev.kill('SIGINT');
  const again = setInterval(() => dev.kill('SIGINT'), 50);
  expect(await end).toMatchObject({ code: 130 });
  clearInterval(again);
  await allGone(seen);
});

test('a run that was interrupted goes on with the next stack and is followed by the next command', async () => {
  const first = startIngot(home, ['run', 'endless', '--date', '2026-01-01']);
  let progress = '';
  first.stderr?.setEncoding('utf8').on('data', (chunk: string) => (progress += chunk));
  const end = ended(first);
  await until('the task to run', () => progress.includes('wait  running'));
  first.kill('SIGINT');
  const { code, stderr } = await end;
  expect(code, stderr).toBe(130);
  expect(stderr).toContain('endless-2026-01-02T00:00:00Z goes on when the stack is up again');
  expect(seen.filter(lives)).toEqual([]);

  const second = startIngot(home, ['run', 'endless', '--date', '2026-01-01']);
  let joined = '';
  second.stderr?.setEncoding('utf8').on('data', (chunk: string) => (joined += chunk));
  const secondEnd = ended(second);
  await until('the second command to follow the run', () => joined.includes('under way already'));
  expect(await ingot(home, ['runs', 'cancel', 'endless-2026-01-02T00:00:00Z'])).toMatchObject({
    code: 0,
    stdout: 'endless-2026-01-02T00:00:00Z is cancelled.\n',
  });
  expect(await secondEnd).toMatchObject({ code: 1, stdout: expect.stringContaining('cancelled') });
});

/** A Node that does not run TypeScript by itself, where this machine has one. */
const olderNode = spawnSync('bash', ['-c', 'which -a node'], { encoding: 'utf8' })
  .stdout.split('\n')
  .find((path) =>
    /^v(1[89]|2[01])\./.test(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? ''),
  );

test.skipIf(olderNode === undefined)(
  'under an older Node the command runs by the project’s own, and dies with it',
  async () => {
    const child = spawn(olderNode!, [ingotScript, 'dev'], {
      env: cliEnvironment(home),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const end = ended(child);
    const up = until('the stack', () => recordOf(home)?.state === 'ready');
    expect(await Promise.race([up, end])).toBe(true);
    const { supervisor } = recordOf(home)!;
    expect(supervisor.pid).not.toBe(child.pid);
    child.kill('SIGKILL');
    await end;
    await allGone([supervisor, ...seen]);
  },
);

test('the demo runs twice over the same data with the same result, and --keep leaves the stack up until down', async () => {
  const first = await ingot(home, ['demo', '--rows', '300', '--seed', '7']);
  expect(first, first.stderr).toMatchObject({ code: 0 });
  expect(seen.filter(lives)).toEqual([]);
  const report = first.stdout.slice(first.stdout.indexOf('The lake'), first.stdout.indexOf('The last run'));
  expect(report).toMatch(/payments: ✓ read 900 = /);
  expect(report).toMatch(/customer_purchases: ✓ read [\d,]+ = /);
  expect(report).toMatch(/Top customers\ncustomer_id .*\n(.*\n){5}5 rows/);

  const second = await ingot(home, ['demo', '--rows', '300', '--seed', '7', '--keep']);
  expect(second, second.stderr).toMatchObject({ code: 0 });
  const rows = (text: string): string[] =>
    text.split('\n').filter((line) => !/^(raw|bronze|silver|audit|gold) /.test(line));
  expect(
    rows(second.stdout.slice(second.stdout.indexOf('The lake'), second.stdout.indexOf('The last run'))),
  ).toEqual(rows(report));
  const record = recordOf(home)!;
  expect(record.state).toBe('ready');
  const link = /http:\/\/127\.0\.0\.1:\d+\/\S+/.exec(second.stdout)?.[0];
  expect((await fetch(link!)).status).toBe(200);

  expect(await ingot(home, ['down'])).toMatchObject({ code: 0, stdout: 'The stack is down.\n' });
  expect([record.supervisor, ...seen].filter(lives)).toEqual([]);
  expect((await ingot(home, ['down'])).stdout).toBe(`No stack runs in ${home}.\n`);
});
