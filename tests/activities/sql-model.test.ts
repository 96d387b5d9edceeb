import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { contract, dag, ownDate, sqlModel, wholeTable, window } from '../../activities/index.ts';
import type { TaskContext } from '../../activities/index.ts';
import { openHarness } from './harness.ts';
import type { Harness } from './harness.ts';
import { csv, models, takeIn, toTyped, typed } from './shop.ts';

const noon = '2026-01-05T12:00:00Z';

const totals = contract({
  table: 'shop.totals',
  zone: 'gold',
  description: 'One row over all days.',
  partitionBy: [],
  columns: { sales: 'bigint', income: 'decimal(18,2)' },
});
const cheap = contract({
  table: 'shop.cheap',
  zone: 'gold',
  description: 'Cheap sales.',
  partitionBy: ['day'],
  columns: { day: 'date', id: 'text', price: 'decimal(9,2)' },
});

function model(owns = ownDate('day'), account = {}) {
  return sqlModel({
    folder: models('totals/'),
    reads: { typed: { of: typed, at: wholeTable } },
    writes: { totals: { to: totals, owns: wholeTable }, cheap: { to: cheap, owns } },
    ...account,
  });
}

function summing(
  body = model(window('day', -30, 30)),
  seen: (context: TaskContext) => void = () => undefined,
) {
  return dag('summing', { schedule: '@daily', defaults: { retries: 0 } }, ({ task }) => {
    const taken = task('ingest', takeIn, { input: null });
    const made = task('type', toTyped, { raw: taken.output.records });
    const watched = {
      ...body,
      run: (input: never, context: TaskContext) => (seen(context), body.run(input, context)),
    };
    task('sum', watched, { typed: made.output.typed } as never);
  });
}

let harness: Harness;
let onComputed: (task: string) => Promise<void> | void = () => undefined;
beforeEach(async () => {
  onComputed = () => undefined;
  harness = await openHarness({ postgresUrl: inject('postgresUrl'), onComputed: (task) => onComputed(task) });
});
afterEach(() => harness[Symbol.asyncDispose]());

async function deliver(date: string, ...rows: readonly string[]): Promise<void> {
  await harness.put(`landing/sales/${date}/a.csv`, csv(...rows));
}

async function income(): Promise<unknown> {
  return (await harness.rows(totals))[0];
}

test('several outputs come from one snapshot', async () => {
  await deliver('2026-01-05', `a1,1.50,${noon},north`, `a2,20,${noon},north`);
  const { failures, outputs } = await harness.run(summing(), '2026-01-05');
  expect(failures).toEqual({});
  expect(outputs['sum']).toEqual({
    totals: { table: 'shop.totals', partitions: 1, rows: 1 },
    cheap: { table: 'shop.cheap', partitions: 1, rows: 1 },
  });
  expect(await income()).toEqual({ sales: '2', income: '21.50' });
});

test('an owned partition that does not come out again is removed, others stay', async () => {
  await deliver('2026-01-05', `a1,1,${noon},north`);
  await deliver('2026-01-06', `a2,2,${noon},north`);
  await harness.run(summing(), '2026-01-05');
  await harness.run(summing(), '2026-01-06');
  await deliver('2026-01-05', `a1,100,${noon},north`);
  await harness.run(summing(), '2026-01-05');
  expect(await harness.rows(cheap, ['day', 'id'])).toEqual([{ day: '2026-01-06', id: 'a2' }]);
  const [last] = await harness.ports.ledger.history({ table: cheap.name, limit: 1 });
  const moved = last!.outputs.filter(({ table }) => table === cheap.name);
  expect(Object.fromEntries(moved.map(({ partition, removed }) => [partition['day'], removed]))).toEqual({
    '2026-01-05': true,
    '2026-01-06': false,
  });
});

test('rows of a partition the model does not own fail it', async () => {
  await deliver('2026-01-05', `a1,1,${noon},north`);
  await deliver('2026-01-06', `a2,2,${noon},north`);
  await harness.run(summing(model()), '2026-01-05');
  const { failures } = await harness.run(summing(model()), '2026-01-06');
  expect(failures['sum']).toContain(
    'summing.sum, output cheap: expected rows of the partitions the model owns; found rows for day=2026-01-05.',
  );
});

test('rows that are not accounted for are not published', async () => {
  await deliver('2026-01-05', `a1,1,${noon},north`, `a2,20,${noon},north`);
  const lossy = model(window('day', -30, 30), {
    account: { scope: 'shop.cheap', read: 'typed', by: 'day', parts: { cheap: 'cheap' } },
  });
  expect((await harness.run(summing(lossy), '2026-01-05')).failures['sum']).toContain(
    'read 2 but accounts for 1',
  );
  expect(await harness.ports.ledger.partitions(totals.name)).toEqual([]);
});

describe('when another run publishes between computing and publishing', () => {
  test('the task computes again from what is there now', async () => {
    await deliver('2026-01-05', `a1,1,${noon},north`);
    await deliver('2026-01-06', `a2,2,${noon},north`);
    let disturbed = false;
    onComputed = async (task) => {
      if (task !== 'sum' || disturbed) return;
      disturbed = true;
      await harness.run(summing(), '2026-01-06');
    };
    const attempts: number[] = [];
    expect(
      (
        await harness.run(
          summing(undefined, ({ attempt }) => attempts.push(attempt)),
          '2026-01-05',
        )
      ).failures,
    ).toEqual({});
    expect(attempts).toEqual([1, 2]);
    expect(await income()).toEqual({ sales: '2', income: '3.00' });
  });

  test('it takes leases after three conflicts, and nobody gets in between', async () => {
    await deliver('2026-01-05', `a1,1,${noon},north`);
    await deliver('2026-01-06', `a2,2,${noon},north`);
    const leases: boolean[] = [];
    let running = false;
    onComputed = async (task) => {
      if (task !== 'sum' || running || leases.length > 3) return;
      running = true;
      await harness.run(summing(), '2026-01-06');
      running = false;
    };
    const { outcome } = await harness.run(
      summing(
        undefined,
        ({ lease, interval }) => void (interval.logicalDate.startsWith('2026-01-05') && leases.push(lease)),
      ),
      '2026-01-05',
    );
    expect(outcome).toBe('success');
    expect(leases).toEqual([false, false, false, true]);
    expect(await income()).toEqual({ sales: '2', income: '3.00' });
  });
});

test('the plan changes with the SQL, the constants and the contract, not with where files lie', () => {
  const facts = (body: { readonly facts: unknown }): unknown => body.facts;
  expect(facts(model())).toEqual(facts(model()));
  expect(facts(model())).toMatchObject({
    kind: 'sql_model',
    reads: ['shop.typed'],
    writes: ['shop.cheap', 'shop.totals'],
  });
  const constant = { name: 'known', columns: [], rows: [] };
  expect(facts(model(ownDate('day'), { inline: [constant] }))).not.toEqual(facts(model()));
});

test('a model whose file is missing fails when it is declared, by the name of the file', () => {
  expect(() => model(ownDate('day'), { steps: ['nowhere'] })).toThrow(/nowhere\.sql/);
});
