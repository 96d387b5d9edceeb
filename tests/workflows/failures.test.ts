import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import { TerminalError } from '../../ports/errors.ts';
import { dag, openBench, type Bench } from './harness.ts';

const soon = { initialMs: 10, factor: 1 };

class QuotaError extends Error {
  override readonly name = 'QuotaError';
}

const flaky = dag('flaky', {}, ({ task }) => {
  task(
    'third-time',
    (_: undefined, { attempt }: TaskContext) => {
      if (attempt < 3) throw new Error(`attempt ${attempt} is not good enough`);
      return attempt;
    },
    undefined,
    { retries: { limit: 2, ...soon } },
  );
});

const hopeless = dag('hopeless', {}, ({ task }) => {
  const always = (): never => {
    throw new Error('as ever');
  };
  task('twice', always, undefined, { retries: { limit: 1, ...soon } });
});

const terminal = dag('terminal', {}, ({ task }) => {
  task(
    'once',
    () => {
      throw new TerminalError({
        expected: 'a file',
        found: 'a folder',
        remedy: 'Point at a file.',
        place: 'raw/x',
      });
    },
    undefined,
    { retries: { limit: 5, ...soon } },
  );
});

const classes = dag('classes', {}, ({ task }) => {
  const quota = (): never => {
    throw new QuotaError('try later');
  };
  task('given-up', quota, undefined, {
    retries: { limit: 5, ...soon, rules: [{ errorType: 'QuotaError', action: 'fail' }] },
  });
  const broken = (_: undefined, { attempt }: TaskContext): number => {
    if (attempt < 2) throw new TerminalError({ expected: 'a', found: 'b', remedy: 'c.' });
    return attempt;
  };
  task('tried-anyway', broken, undefined, {
    retries: { limit: 1, ...soon, rules: [{ errorType: 'TerminalError', action: 'retry', delay: '1s' }] },
  });
});

const circular: { name: string; self?: unknown } = { name: 'loop' };
circular.self = circular;

const thrown: readonly (readonly [string, unknown, string])[] = [
  ['a string', 'just text', "found 'just text'"],
  ['undefined', undefined, 'found undefined'],
  ['null', null, 'found null'],
  ['a circular object', circular, '[Circular *1]'],
  ['a BigInt', 12n, 'found 12n'],
];
const throwing = dag('throwing', {}, ({ map }) => {
  map(
    'throw',
    thrown.map((_, index) => index),
    (index: number) => {
      // oxlint-disable-next-line typescript/only-throw-error
      throw thrown[index]![1];
    },
    undefined,
    { retries: 0 },
  );
});

const returned: readonly (readonly [unknown, string])[] = [
  [{ rows: 12n }, 'found output.rows is a BigInt (12n)'],
  [{ list: [{ make: () => 1 }] }, 'found output.list[0].make is a function'],
  [[1, undefined], 'found output[1] is undefined'],
  [{ ratio: Number.NaN }, 'found output.ratio is NaN'],
  [new Map([['a', 1]]), 'found output is an instance of Map'],
  [{ later: Promise.resolve(1) }, 'found output.later is an instance of Promise'],
  [circular, 'found output.self refers back to an object that holds it'],
  ['x'.repeat(1600 * 1024), 'expected an output of at most 1536 KiB; found 1601 KiB'],
];
const returning = dag('returning', {}, ({ map }) => {
  map(
    'return',
    returned.map((_, index) => index),
    (index: number) => returned[index]![0] as string,
    undefined,
    { retries: 5 },
  );
});

const large = dag('large', {}, ({ map, task }) => {
  const parts = map('part', [0, 1, 2, 3, 4, 5], (index: number) => String(index).repeat(300 * 1024));
  task('whole', (all: readonly string[]) => all.length, parts);
});

const endless = dag('endless', {}, ({ task }) => {
  task('hang', () => new Promise<void>(() => {}), undefined, { timeout: '1s', retries: 0 });
});

const stops: unknown[] = [];
const obedient = dag('obedient', {}, ({ task }) => {
  task(
    'obey',
    (_: undefined, { signal, attempt }: TaskContext) =>
      attempt === 2
        ? attempt
        : new Promise<number>((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              stops.push((signal.reason as Error).message);
              reject(new Error('stopped half-way'));
            });
          }),
    undefined,
    { timeout: '1s', retries: { limit: 1, ...soon } },
  );
});

const secretive = dag('secretive', {}, ({ task }) => {
  task(
    'leak',
    () => {
      const cause = new Error('login as postgres://ingot:hunter2@db.example/lake refused');
      throw new Error(
        'cannot reach postgres://ingot:p@ss:w0rd@db.example:5432/lake?sslmode=require with password=sesame',
        { cause },
      );
    },
    undefined,
    { retries: 0 },
  );
});

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  await bench.work([
    flaky,
    hopeless,
    terminal,
    classes,
    throwing,
    returning,
    large,
    endless,
    obedient,
    secretive,
  ]);
});
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

async function attemptsOf(dagId: string) {
  const run = await bench.start(dagId);
  const { state } = await bench.result(run);
  const attempts = await bench.ledger.attempts(run.runId);
  return { run, state, attempts };
}

test('a failure of its own is tried again within its budget, and each attempt is remembered', async () => {
  const { state, attempts } = await attemptsOf('flaky');
  expect(state).toBe('success');
  expect(attempts.map((each) => [each.attempt, each.failure?.message ?? null])).toEqual([
    [1, 'attempt 1 is not good enough'],
    [2, 'attempt 2 is not good enough'],
    [3, null],
  ]);
});

test('the run fails when the budget is used up', async () => {
  const { state, attempts } = await attemptsOf('hopeless');
  expect(state).toBe('failed');
  expect(attempts.map((each) => each.attempt)).toEqual([1, 2]);
  expect(attempts.at(-1)).toMatchObject({
    state: 'failed',
    failure: { type: 'Error', message: 'as ever', retryable: true },
  });
});

test('a TerminalError is not tried again', async () => {
  const { state, attempts } = await attemptsOf('terminal');
  expect(state).toBe('failed');
  expect(attempts).toMatchObject([
    {
      attempt: 1,
      failure: {
        type: 'TerminalError',
        message: 'raw/x: expected a file; found a folder. Point at a file.',
        retryable: false,
      },
    },
  ]);
});

test('rules by error class decide before the error itself does', async () => {
  const { attempts } = await attemptsOf('classes');
  expect(attempts.filter((each) => each.taskId === 'given-up')).toMatchObject([
    { state: 'failed', failure: { type: 'QuotaError' } },
  ]);
  expect(attempts.filter((each) => each.taskId === 'tried-anyway').at(-1)).toMatchObject({
    attempt: 2,
    state: 'success',
  });
});

test('whatever is thrown fails the task with a message that shows it', async () => {
  const { state, attempts } = await attemptsOf('throwing');
  expect(state).toBe('failed');
  for (const [index, [, , message]] of thrown.entries()) {
    const attempt = attempts.find((each) => each.mapIndex === index);
    expect(attempt).toMatchObject({ state: 'failed', failure: { type: 'ThrownValue' } });
    expect(attempt?.failure?.message).toContain(message);
  }
});

test('an output that is not JSON, or too long, fails the task once and says where and why', async () => {
  const { state, attempts } = await attemptsOf('returning');
  expect(state).toBe('failed');
  for (const [index, [, message]] of returned.entries()) {
    const own = attempts.filter((each) => each.mapIndex === index);
    expect(own).toMatchObject([
      { attempt: 1, state: 'failed', failure: { type: 'TerminalError', retryable: false } },
    ]);
    expect(own[0]?.failure?.message).toContain(message);
  }
});

test('an input that would not fit into the history fails the task that asks for it', async () => {
  const { state, attempts } = await attemptsOf('large');
  expect(state).toBe('failed');
  const whole = attempts.find((each) => each.taskId === 'whole');
  expect(whole?.failure?.message).toMatch(/^Expected an input of at most 1536 KiB; found 1\d\d\d KiB/);
});

test('a task that never returns runs into its timeout', async () => {
  const { state, attempts } = await attemptsOf('endless');
  expect(state).toBe('failed');
  expect(attempts).toMatchObject([{ state: 'failed', failure: { type: 'Timeout', retryable: true } }]);
  expect(attempts[0]?.failure?.message).toContain(
    'endless.hang, attempt 1: expected the task to end within 1 s',
  );
});

test('a timeout tells the body to stop, counts as a failure and is tried again', async () => {
  const { state, attempts } = await attemptsOf('obedient');
  expect(state).toBe('success');
  expect(attempts).toMatchObject([
    { attempt: 1, failure: { type: 'Timeout' } },
    { attempt: 2, output: 2 },
  ]);
  expect(stops).toEqual(['The attempt was stopped: timeout.']);
});

test('connection strings and passwords stay out of ledger and history', async () => {
  const { run, attempts } = await attemptsOf('secretive');
  expect(attempts[0]?.failure?.message).toBe(
    'cannot reach postgres://***@db.example:5432/lake?sslmode=require with password=***',
  );
  const history = await bench.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
  const text = JSON.stringify(history, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  );
  expect(text).toContain('refused');
  expect(text).not.toMatch(/hunter2|w0rd|sesame/);
});
