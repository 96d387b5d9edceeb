/**
 * Wirings that must not compile. `tsc` checks this file: an `@ts-expect-error` over a line that compiles is an error.
 * Nothing here runs.
 */
import { createDagFactory } from '../../dag/builder.ts';
import type { Ref, SensorAnswer, TaskKind } from '../../dag/builder.ts';

interface Context {
  readonly attempt: number;
}
interface Load {
  readonly table: string;
  readonly rows: number;
  readonly note?: string;
}

const dag = createDagFactory<Context>();

async function extract() {
  return {
    table: 'payments',
    rows: 3,
    files: [{ key: 'a', bytes: 1 }],
    note: null as string | null,
    at: new Date(0),
  };
}
async function load(input: Load, context: Context) {
  return { loaded: input.rows, attempt: context.attempt };
}
function keyed(_input: { readonly key: string }): void {}
function identified(_input: { readonly id: string }): void {}
function publish(_input: { readonly loaded: number }): void {}
const model: TaskKind<{ readonly day: string }, { readonly rows: number }, Context> = {
  name: 'sql-model',
  facts: { sql: 'abc' },
  async run(input) {
    return { rows: input.day.length };
  },
};

export const right = dag(
  'right',
  { params: { days: { type: 'integer', default: 3 }, mode: { type: 'string', allowed: ['fast', 'slow'] } } },
  (tools) => {
    const { task, branch, shortCircuit, map, sensor, wait, group, interval, params, run } = tools;
    const extracted = task('extract', extract);
    const loaded = task('load', load, { table: extracted.output.table, rows: params.days });
    task(
      'load-whole',
      load,
      { table: 'fixed', rows: 1, note: interval.start },
      { triggerRule: 'all_done', retries: 3, timeout: '10m' },
    );
    task('publish', publish, loaded).after(extracted);
    task(
      'context-inferred',
      async (input: Load, context) => input.rows + context.attempt,
      { table: 'x', rows: 1 },
      { heartbeat: '5s' },
    );
    map(
      'context-in-map',
      [1, 2],
      async (input: { readonly n: number }, context) => input.n + context.attempt,
      (n) => ({ n }),
    );
    sensor(
      'context-in-sensor',
      (input: { readonly n: number }, context) => ({ done: input.n > context.attempt }),
      { n: 1 },
      { timeout: '1h' },
    );
    task('nested', (_input: { readonly list: readonly { readonly n: number }[] }) => 1, {
      list: [{ n: loaded.output.loaded }, { n: 2 }],
    });
    task('dates-are-text', (_input: { readonly at: string }) => 1, { at: extracted.output.at });
    task('model', model, { day: interval.logicalDate });
    const mapped = map(
      'each',
      extracted.output.files,
      (_input: { readonly key: string; readonly run: string }) => ({ ok: true }),
      (file) => ({ key: file.key, run: run.id }),
    );
    map('each-itself', extracted.output.files, (_input: { readonly key: string }) => 1);
    map(
      'constants',
      ['a', 'b'],
      (_input: { readonly letter: string }) => 1,
      (letter) => ({ letter }),
    );
    task('join', (_input: { readonly all: readonly { readonly ok: boolean }[] }) => 1, { all: mapped });
    const chosen = branch(
      'choose',
      ['fast', 'slow'],
      (_input: { readonly mode: 'fast' | 'slow' }) => (_input.mode === 'fast' ? 'fast' : ['slow']),
      { mode: params.mode },
    );
    task('fast', () => 1).after(chosen);
    task('slow', () => 1).after(chosen);
    shortCircuit('gate', () => true);
    const sensed = sensor(
      'arrived',
      async (_input: { readonly day: string }): Promise<SensorAnswer<{ readonly key: string }>> => ({
        done: false,
      }),
      { day: interval.start },
      { timeout: '6h', pokeEvery: '30s' },
    );
    task('sensed', (_input: { readonly key: string }) => 1, sensed);
    wait('pause', { for: '10m' });
    wait('until', { until: interval.end });
    const inner = group('inner', () => task('a', extract));
    task('after-group', publish, { loaded: inner.result.output.rows }).after(inner);
  },
);

export const wrong = dag('wrong', { params: { days: { type: 'integer', default: 3 } } }, (tools) => {
  const { task, branch, map, sensor, wait, params, interval } = tools;
  const numbers = task('numbers', () => 3);
  const extracted = task('extract', extract);
  // @ts-expect-error a field the upstream output does not have
  task('missing-output', load, { table: extracted.output.tabel, rows: 1 });
  // @ts-expect-error a reference of the wrong type
  task('wrong-type', load, { table: extracted.output.rows, rows: 1 });
  // @ts-expect-error a reference that may be null where the body does not expect null
  task('nullable', load, { table: extracted.output.note, rows: 1 });
  // @ts-expect-error a field the body needs is missing
  task('missing-input', load, { table: 'x' });
  // @ts-expect-error a field the body does not know
  task('unknown-input', load, { table: 'x', rows: 1, colour: 'red' });
  // @ts-expect-error a field the body does not know, where the context's type is inferred
  task('unknown-inferred', (input: Load, context) => [input, context], { table: 'x', rows: 1, red: 1 });
  // @ts-expect-error the input is missing
  task('no-input', load);
  // @ts-expect-error a whole output of another shape
  task('whole', publish, extracted);
  // @ts-expect-error a task does not stand for its properties
  task('handle', identified, numbers);
  // @ts-expect-error an undeclared param
  task('unknown-param', load, { table: 'x', rows: params.weeks });
  // @ts-expect-error a param of the wrong type
  task('wrong-param', load, { table: params.days, rows: 1 });
  // @ts-expect-error a part of the interval that does not exist
  task('wrong-interval', load, { table: interval.begin, rows: 1 });
  // @ts-expect-error a task kind gets another input
  task('kind', model, { day: params.days });
  // @ts-expect-error a body that wants another context
  task('context', (_input: null, context: { readonly database: string }) => context.database, null);
  // @ts-expect-error a branch that answers with an id it did not declare
  branch('choose', ['fast', 'slow'], () => 'medium' as const);
  // @ts-expect-error a map over something that is not a list
  map('not-a-list', extracted.output.table, keyed, (key) => ({ key }));
  // @ts-expect-error an element wired wrongly
  map('wrong-element', extracted.output.files, keyed, (file) => ({ key: file.bytes }));
  // @ts-expect-error an element that is not the input
  map('element-itself', extracted.output.files, (_input: { readonly name: string }) => 1);
  // @ts-expect-error a sensor without a timeout
  sensor('endless', () => ({ done: true }), undefined, { pokeEvery: '30s' });
  // @ts-expect-error a sensor that does not say whether it is done
  sensor('silent', () => ({ ready: true }), undefined, { timeout: '1h' });
  // @ts-expect-error a wait until a number
  wait('until', { until: params.days });
  // @ts-expect-error a trigger rule that does not exist
  task('rule', extract, undefined, { triggerRule: 'all_succeeded' });
  // @ts-expect-error a duration that is not one
  task('duration', extract, undefined, { timeout: 'soon' });
  // @ts-expect-error after something that is neither task nor group
  task('after', extract).after('extract');
  // @ts-expect-error a reference is not a value
  const text: string = extracted.output.table;
  return text;
});

// @ts-expect-error a default of another type than the param's
dag('params', { params: { days: { type: 'integer', default: 'three' } } }, () => {});
// @ts-expect-error a reference to one type is not one to another
export const narrowed: Ref<string> = null as unknown as Ref<number>;
