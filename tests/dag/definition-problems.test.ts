import { expect, test } from 'vitest';
import { compileDag } from '../../dag/compile.ts';
import { DagProblemsError } from '../../dag/problems.ts';
import { dag, problemsOf, sha256 } from './support.ts';

const nothing = () => null;
const takes = (_input: Record<string, unknown>) => null;

test('all problems of a definition come at once, each with its place', () => {
  const definition = dag(
    'bad dag',
    {
      schedule: '61 * * * *',
      timezone: 'Mars/Olympus',
      startDate: 'soon',
      maxActiveRuns: 0,
      params: { days: { type: 'integer', default: 1.5 } },
    },
    ({ task }) => {
      task('1st', nothing);
      task('rule', nothing, undefined, { triggerRule: 'all_skipped' });
    },
  );
  expect(() => compileDag(definition, { sha256 })).toThrow(DagProblemsError);
  const problems = problemsOf(definition);
  expect(problems).toHaveLength(8);
  expect(problems.join('\n')).toMatchInlineSnapshot(`
    "dag bad dag: expected an id of at most 100 letters, digits, _ and -, beginning with a letter or _; found "bad dag". Rename it.
    dag bad dag: expected timezone to be an IANA name; found "Mars/Olympus". For example 'UTC' or 'Europe/Berlin'.
    dag bad dag: expected startDate to be YYYY-MM-DD or an RFC 3339 instant in whole seconds; found "soon". For example '2026-01-01'.
    dag bad dag, schedule: expected minute: *, a value from 0 to 59, a range, a step or a list of these; found "61". L, W, # and ? are not supported.
    dag bad dag: expected maxActiveRuns to be a whole number from 1 to 1000; found 0. Correct the option.
    dag bad dag, param days, default: expected an integer; found 1.5. Give a value that fits.
    dag bad dag, task 1st: expected an id of at most 100 letters, digits, _, . and -, beginning with a letter or _; found "1st". Rename it.
    dag bad dag, task rule: expected all_skipped on a task with upstream tasks; found none. It could never start: leave the rule out, or add .after(...)."
  `);
});

test.each<[string, ReturnType<typeof dag>, RegExp]>([
  ['a DAG without tasks', dag('empty', {}, () => {}), /at least one task/],
  [
    'a reserved DAG id',
    dag('ingot', {}, ({ task }) => void task('a', nothing)),
    /not reserved; found "ingot"/,
  ],
  ['a dot in a DAG id', dag('a.b', {}, ({ task }) => void task('a', nothing)), /found "a\.b"/],
  [
    'a reserved task id',
    dag('d', {}, ({ task }) => void task('default', nothing)),
    /not reserved; found "default"/,
  ],
  [
    'a name JavaScript gives a meaning',
    dag('d', {}, ({ task }) => void task('__proto__', nothing)),
    /not reserved/,
  ],
  ['an id of 101 characters', dag('d', {}, ({ task }) => void task('a'.repeat(101), nothing)), /at most 100/],
  [
    'the same id twice',
    dag('d', {}, ({ task }) => void [task('a', nothing), task('a', nothing)]),
    /every id once; found "a" again/,
  ],
  [
    'a group and a task with one id',
    dag('d', {}, ({ task, group }) => void [task('a', nothing), group('a', () => task('b', nothing))]),
    /every id once; found "a" again/,
  ],
  [
    'a cycle, by its path',
    dag('d', {}, ({ task }) => {
      const a = task('a', nothing);
      const b = task('b', nothing).after(a);
      const c = task('c', nothing).after(b);
      a.after(c);
    }),
    /without cycles; found a → b → c → a/,
  ],
  [
    'a task that waits for itself',
    dag('d', {}, ({ task }) => {
      const a = task('a', nothing);
      a.after(a);
    }),
    /found a → a\. A task cannot wait for itself/,
  ],
  [
    'a group that waits for its own task',
    dag('d', {}, ({ task, group }) => {
      const g = group('g', () => task('a', nothing));
      g.after(g.result);
    }),
    /found g\.a → g\.a/,
  ],
  [
    'an edge to something that is no task',
    dag('d', {}, ({ task }) => void task('a', nothing).after('b' as never)),
    /tasks and groups of this DAG; found b/,
  ],
  [
    'an output of a task of another DAG',
    (() => {
      let foreign: unknown;
      dag('first', {}, ({ task }) => void (foreign = task('x', nothing)));
      return dag('d', {}, ({ task }) => void task('a', takes, { x: foreign }));
    })(),
    /input x: expected references to this DAG; found a reference that belongs to another DAG/,
  ],
  [
    'an edge to a task of another DAG',
    (() => {
      let foreign: unknown;
      dag('first', {}, ({ task }) => void (foreign = task('x', nothing)));
      return dag('d', {}, ({ task }) => void task('a', nothing).after(foreign as never));
    })(),
    /found the task x of another DAG/,
  ],
  [
    'an unknown param',
    dag(
      'd',
      {},
      ({ task, params }) => void task('a', takes, { n: (params as Record<string, unknown>)['days'] }),
    ),
    /found params\.days/,
  ],
  [
    'an unknown part of the interval',
    dag('d', {}, ({ task, interval }) => void task('a', takes, { n: (interval as never)['begin'] })),
    /found interval\.begin/,
  ],
  [
    'an object with $ref',
    dag('d', {}, ({ task }) => void task('a', takes, { deep: [{ $ref: 'task:b' }] })),
    /input deep\[0\].*\$ref/,
  ],
  [
    'a Date as input',
    dag('d', {}, ({ task }) => void task('a', takes, { at: new Date(0) })),
    /input at: expected JSON values and references; found a Date/,
  ],
  ['a bigint as input', dag('d', {}, ({ task }) => void task('a', takes, { n: 3n })), /input n: .*found 3/],
  [
    'not-a-number as input',
    dag('d', {}, ({ task }) => void task('a', takes, { n: Number.NaN })),
    /found NaN/,
  ],
  [
    'an input that contains itself',
    dag('d', {}, ({ task }) => {
      const loop: Record<string, unknown> = {};
      loop['loop'] = loop;
      task('a', takes, loop);
    }),
    /contains itself/,
  ],
  [
    'a reference used as text',
    dag(
      'd',
      {},
      ({ task, interval }) => void task('a', takes, { path: `raw/${interval.start as unknown as string}` }),
    ),
    /passed as \(part of\) an input; found a reference used as text or number \(interval\)/,
  ],
  [
    'a reference that is spread',
    dag('d', {}, ({ task, interval }) => void task('a', takes, { ...(interval as object) })),
    /found a reference that is spread/,
  ],
  [
    'a loop over an output',
    dag('d', {}, ({ task }) => {
      const list = task('list', () => [1]);
      for (const each of list.output as unknown as number[]) void each;
    }),
    /found a loop over a reference \(task of list\)/,
  ],
  [
    'one_failed on a root',
    dag('d', {}, ({ task }) => void task('a', nothing, undefined, { triggerRule: 'one_failed' })),
    /one_failed on a task with upstream/,
  ],
  [
    'always with an output as input',
    dag('d', {}, ({ task }) => {
      const a = task('a', nothing);
      task('b', takes, { a }, { triggerRule: 'always' });
    }),
    /always on a task that takes no output of an upstream task; found the output of a/,
  ],
  [
    'always on a map over an output',
    dag('d', {}, ({ task, map }) => {
      const a = task('a', () => [1]);
      map(
        'b',
        a,
        () => null,
        () => undefined,
        { triggerRule: 'always' },
      );
    }),
    /always on a task that takes no output/,
  ],
  [
    'all_failed with an output as input',
    dag('d', {}, ({ task }) => {
      const a = task('a', nothing);
      task('b', takes, { a }, { triggerRule: 'all_failed' });
    }),
    /all_failed on a task that takes no output/,
  ],
  [
    'a trigger rule that does not exist',
    dag('d', {}, ({ task }) => void task('a', nothing, undefined, { triggerRule: 'dummy' as never })),
    /one of all_success/,
  ],
  [
    'handlesFailure with a rule that does not react to failure',
    dag('d', {}, ({ task }) => void task('a', nothing, undefined, { handlesFailure: true })),
    /handlesFailure with triggerRule/,
  ],
  [
    'a branch to a task that is not directly downstream',
    dag('d', {}, ({ task, branch }) => {
      const choose = branch('choose', ['near', 'far'], () => 'near' as const);
      const near = task('near', nothing).after(choose);
      task('far', nothing).after(near);
    }),
    /choices that are directly downstream; found "far"\. Directly downstream: near/,
  ],
  [
    'a branch without choices',
    dag('d', {}, ({ branch }) => void branch('choose', [], () => null)),
    /at least one choice/,
  ],
  [
    'a sensor without a timeout',
    dag('d', {}, ({ sensor }) => void sensor('s', () => ({ done: true }), undefined, {} as never)),
    /a sensor to have a timeout/,
  ],
  [
    'too many retries',
    dag('d', {}, ({ task }) => void task('a', nothing, undefined, { retries: 101 })),
    /retries\.limit to be a whole number from 0 to 100; found 101/,
  ],
  [
    'a retry cap below the first wait',
    dag('d', {}, ({ task }) => void task('a', nothing, undefined, { retries: { initial: '1m', max: '1s' } })),
    /retries\.max not to be below/,
  ],
  [
    'an unreadable duration',
    dag('d', {}, ({ task }) => void task('a', nothing, undefined, { timeout: 'soon' as never })),
    /timeout to be from 1s to 30d.*found "soon"/,
  ],
  [
    'a timeout out of range',
    dag('d', {}, ({ task }) => void task('a', nothing, undefined, { timeout: '31d' })),
    /found "31d"/,
  ],
  [
    'an end before the start',
    dag('d', { startDate: '2026-02-01', endDate: '2026-01-01' }, ({ task }) => void task('a', nothing)),
    /endDate not to be before startDate/,
  ],
  [
    'a date that does not exist',
    dag('d', { startDate: '2026-02-30' }, ({ task }) => void task('a', nothing)),
    /found "2026-02-30"/,
  ],
  [
    'a schedule that never comes',
    dag('d', { schedule: '0 0 30 2 *' }, ({ task }) => void task('a', nothing)),
    /which never does/,
  ],
  [
    'a fixed length of less than a second',
    dag('d', { schedule: { every: 500 } }, ({ task }) => void task('a', nothing)),
    /whole seconds/,
  ],
  [
    'a param default that is not allowed',
    dag(
      'd',
      { params: { m: { type: 'string', allowed: ['a'], default: 'b' } } },
      ({ task }) => void task('a', nothing),
    ),
    /one of "a"; found "b"/,
  ],
  [
    'a param of an unknown type',
    dag('d', { params: { m: { type: 'text' as 'string' } } }, ({ task }) => void task('a', nothing)),
    /type to be one of string/,
  ],
  [
    'a wait without a time',
    dag('d', {}, ({ wait }) => void wait('w', {} as never)),
    /either for or until; found neither/,
  ],
  [
    'a wait until something that is no instant',
    dag('d', {}, ({ wait }) => void wait('w', { until: 'tomorrow' })),
    /until to be an RFC 3339 instant/,
  ],
  [
    'a map over something that is no list',
    dag('d', {}, ({ map }) => void map('m', 'abc' as never, () => null)),
    /map over a list/,
  ],
  [
    'a map within the wiring of a map',
    dag('d', {}, ({ task, map }) => {
      const lists = task('lists', () => [[1]]);
      map('outer', lists, takes, (item) => ({ inner: map('inner', item, (n: number) => n) }));
    }),
    /go over all of these with flatMap/,
  ],
  [
    'an element used outside its map',
    dag('d', {}, ({ task, map }) => {
      let leaked: unknown;
      map('m', [1], takes, (item) => ({ item: (leaked = item) }));
      task('a', takes, { leaked });
    }),
    /input leaked: .*the element of the mapped task m/,
  ],
  [
    'an approval without a question, with answers nobody knows',
    dag(
      'd',
      { onFailure: 'wait' as never },
      ({ approval }) =>
        void approval('go', { message: ' ', timeout: 'soon' as never, onReject: 'cancel' as never }),
    ),
    /onFailure to be fail or hold[^]*a message[^]*timeout to be from[^]*onReject to be fail or skip/,
  ],
  [
    'a body that is no function',
    dag('d', {}, ({ task }) => void task('a', {} as never)),
    /a function or a task kind/,
  ],
])('%s is a problem', (_, definition, message) => {
  expect(problemsOf(definition as never).join('\n')).toMatch(message);
});
