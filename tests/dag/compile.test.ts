import { expect, test } from 'vitest';
import { compileDag } from '../../dag/compile.ts';
import { canonicalJson } from '../../dag/json.ts';
import type { Json } from '../../dag/json.ts';
import { planHash } from '../../dag/plan.ts';
import { dag, planOf, sha256 } from './support.ts';

const nothing = () => null;
const takes = (_input: Record<string, unknown>) => null;

test('passing an output is the edge, at any depth of the input', () => {
  const plan = planOf(
    dag('wired', { params: { days: { type: 'integer', default: 3 } } }, ({ task, params, interval, run }) => {
      const first = task('first', () => ({ files: [{ key: 'a' }] }));
      const second = task('second', nothing);
      task(
        'third',
        (_input: { list: { key: string }[]; whole: null; days: number; at: string; run: string }) => null,
        {
          list: [{ key: first.output.files[0]!.key }],
          whole: second,
          days: params.days,
          at: interval.end,
          run: run.id,
        },
      );
    }),
  );
  const third = plan.tasks.find((task) => task.id === 'third')!;
  expect(third.upstream).toEqual(['first', 'second']);
  expect(third.input).toEqual({
    list: [{ key: { $ref: 'task:first', path: ['files', 0, 'key'] } }],
    whole: { $ref: 'task:second', path: [] },
    days: { $ref: 'params', path: ['days'] },
    at: { $ref: 'interval', path: ['end'] },
    run: { $ref: 'run', path: ['id'] },
  });
});

test('the plan survives JSON unchanged and its hash does not depend on the order of declaration', () => {
  const forwards = dag('order', { tags: ['b', 'a'] }, ({ task }) => {
    const a = task('a', nothing);
    const b = task('b', nothing);
    task('c', nothing).after(a, b);
  });
  const backwards = dag('order', { tags: ['a', 'b'] }, ({ task }) => {
    const c = task('c', nothing);
    const b = task('b', nothing);
    const a = task('a', nothing);
    c.after(b).after(a);
  });
  const one = compileDag(forwards, { sha256 });
  const other = compileDag(backwards, { sha256 });
  expect(one.hash).toBe(other.hash);
  expect(one.hash).toBe(sha256(canonicalJson(one.plan as unknown as Json)));
  expect(JSON.parse(JSON.stringify(one.plan))).toEqual(one.plan);
});

test('a changed fact, option or edge changes the hash', () => {
  const kind = (sql: string) => ({ name: 'sql', facts: { sql }, run: nothing });
  const hashes = [
    dag('d', {}, ({ task }) => void task('a', kind('1'))),
    dag('d', {}, ({ task }) => void task('a', kind('2'))),
    dag('d', {}, ({ task }) => void task('a', kind('1'), undefined, { retries: 5 })),
    dag('d', { catchup: true }, ({ task }) => void task('a', kind('1'))),
  ].map((definition) => planHash(planOf(definition), sha256));
  expect(new Set(hashes).size).toBe(hashes.length);
});

test('bodies are kept by task id, and run with input and context', async () => {
  const compiled = compileDag(
    dag('bodies', {}, ({ task, wait, group }) => {
      task('plain', (input: { n: number }) => input.n + 1, { n: 1 });
      group('g', () =>
        task(
          'kind',
          { name: 'doubling', facts: { factor: 2 }, run: (input: { n: number }) => input.n * 2 },
          { n: 1 },
        ),
      );
      wait('pause', { for: '1s' });
    }),
    { sha256 },
  );
  expect([...compiled.bodies.keys()].sort()).toEqual(['g.kind', 'plain']);
  expect(compiled.bodies.get('plain')!.run({ n: 1 }, {})).toBe(2);
  expect(compiled.bodies.get('g.kind')!.run({ n: 4 }, {})).toBe(8);
  expect(compiled.plan.tasks.find((task) => task.id === 'g.kind')!.facts).toEqual({
    kind: 'doubling',
    factor: 2,
  });
});

test("options become numbers of the plan, with the DAG's defaults where a task says nothing", () => {
  const plan = planOf(
    dag('options', { defaults: { retries: 7, timeout: '2h' } }, ({ task, sensor }) => {
      task('a', nothing, undefined, {
        retries: {
          limit: 1,
          initial: '10s',
          factor: 3,
          max: '1m',
          rules: [{ errorType: 'Throttled', action: 'retry', delay: '90s' }],
        },
        timeout: '90s',
        heartbeat: '30s',
        summary: 'one line',
      });
      task('b', { name: 'k', facts: {}, summary: 'its own', heartbeatMs: 5000, run: nothing });
      sensor('s', () => ({ done: true }), undefined, { timeout: '6h', pokeEvery: '1m', softFail: true });
    }),
  );
  const [a, b, s] = plan.tasks;
  expect(a).toMatchObject({
    retries: {
      limit: 1,
      initialMs: 10_000,
      factor: 3,
      maxMs: 60_000,
      rules: [{ errorType: 'Throttled', action: 'retry', delayMs: 90_000 }],
    },
    timeoutMs: 90_000,
    heartbeatMs: 30_000,
    summary: 'one line',
  });
  expect(b).toMatchObject({
    retries: { limit: 7 },
    timeoutMs: 7_200_000,
    heartbeatMs: 5000,
    summary: 'its own',
  });
  expect(s).toMatchObject({
    kind: 'sensor',
    timeoutMs: 60_000,
    sensor: { pokeMs: 60_000, timeoutMs: 21_600_000, softFail: true },
  });
});

test('a group prefixes ids; waiting for it is waiting for its last tasks, and its first tasks wait for what it waits for', () => {
  const plan = planOf(
    dag('groups', {}, ({ task, group }) => {
      const before = task('before', nothing);
      const outer = group('outer', () => {
        const a = task('a', nothing);
        const inner = group('inner', () => {
          const b = task('b', nothing);
          task('c', nothing).after(b);
          return b;
        }).after(a);
        task('d', nothing).after(inner);
        return { b: inner.result };
      }).after(before);
      task('end', nothing).after(outer);
      task('uses', takes, { b: outer.result.b });
    }),
  );
  const upstream = Object.fromEntries(plan.tasks.map((task) => [task.id, task.upstream]));
  expect(upstream).toEqual({
    before: [],
    'outer.a': ['before'],
    'outer.inner.b': ['outer.a'],
    'outer.inner.c': ['outer.inner.b'],
    'outer.d': ['outer.inner.c'],
    end: ['outer.d'],
    uses: ['outer.inner.b'],
  });
});

test("startDate and endDate are midnights of the DAG's zone", () => {
  const plan = planOf(
    dag(
      'zoned',
      { timezone: 'America/New_York', startDate: '2026-03-01', endDate: '2026-07-01', schedule: '@daily' },
      ({ task }) => void task('a', nothing),
    ),
  );
  expect([plan.startAt, plan.endAt]).toEqual(['2026-03-01T05:00:00Z', '2026-07-01T04:00:00Z']);
});

test('a DAG of 2,000 tasks with edges over all levels compiles', () => {
  const plan = planOf(
    dag('large', {}, ({ task }) => {
      const tasks = [task('t0', nothing)];
      for (let n = 1; n < 2000; n += 1)
        tasks.push(task(`t${n}`, nothing).after(tasks[n - 1]!, tasks[Math.floor(n / 2)]!));
    }),
  );
  expect(plan.tasks).toHaveLength(2000);
});
