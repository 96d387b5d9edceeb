import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { allOf, anyOf } from '../../dag/assets.ts';
import type { TaskContext } from '../../activities/task-context.ts';
import type { AssetEvent } from '../../ports/assets.ts';
import { wakeFeed } from '../../workers/asset-feeds.ts';
import { bronze, bronzeDay, manifest, output, writes } from '../ports/ledger/fixture.ts';
import { eventually } from '../support/processes.ts';
import { dag, day, openBench, temporaryFolder, type Bench } from './harness.ts';
import { deploy, endedRuns, runsOf, uniqueId } from './schedules-harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
  await bench.ledger.registerTables([bronze]);
});
afterAll(() => bench[Symbol.asyncDispose]());

const positions = (events: readonly AssetEvent[]): string[] =>
  events.map(({ asset, position }) => `${asset}/${position}`);

/** Alone: a worker that does not know a DAG would be asked as well. */
async function working(dags: Parameters<Bench['work']>[0]): Promise<AsyncDisposable> {
  const worker = await bench.work(dags);
  return { [Symbol.asyncDispose]: () => worker.stop() };
}

let emitted = 0;
const emit = (asset: string, date: string) =>
  bench.ledger.emitAsset({
    asset,
    key: String((emitted += 1)),
    at: new Date().toISOString(),
    logicalDate: `${date}T00:00:00Z`,
    payload: {},
  });

/** A DAG that takes note of the events each of its runs was given. */
function eater(
  id: string,
  schedule: NonNullable<Parameters<typeof dag>[1]['schedule']>,
  body: (context: TaskContext) => Promise<void> = () => Promise.resolve(),
) {
  const eaten: { date: string; events: string[] }[] = [];
  const definition = dag(id, { schedule }, ({ task }) => {
    task('eat', async (_: undefined, context) => {
      eaten.push({
        date: context.interval.logicalDate.slice(0, 10),
        events: positions(await context.triggeringEvents()),
      });
      await body(context);
    });
  });
  return { definition, eaten };
}

test('a table that is published, and a task that succeeds, start those that wait for them, for the producer’s date', async () => {
  const [producer, table, named] = [uniqueId('producer'), uniqueId('of-table'), uniqueId('of-name')];
  const asset = `${named}.sent`;
  const making = dag(producer, {}, ({ task }) => {
    const made = task('make', async (_: undefined, context: TaskContext) => {
      const selector = bronzeDay('2026-01-01');
      const { snapshot } = await context.ports.ledger.snapshot([writes(selector)]);
      context.stage(manifest(snapshot, [output(selector)]));
    });
    task('send', () => 1, undefined, { outlets: [asset] }).after(made);
  });
  const [ofTable, ofName] = [eater(table, { assets: bronze.name }), eater(named, { assets: asset })];
  const dags = [making, ofTable.definition, ofName.definition];
  await using _ = await working(dags);
  await deploy(bench, dags);
  const run = await bench.start(producer);
  expect((await bench.result(run)).state).toBe('success');
  for (const id of [table, named])
    expect(await endedRuns(bench, id, 1)).toMatchObject([
      { type: 'event', state: 'success', logicalDate: day.start, workflowId: `${id}-${day.end}` },
    ]);
  const [published] = await bench.ledger.assetEvents(bronze.name);
  expect(published).toMatchObject({ runId: run.runId, dagId: producer });
  expect(ofTable.eaten).toEqual([{ date: '2026-01-01', events: positions([published!]) }]);
  expect(ofName.eaten).toEqual([{ date: '2026-01-01', events: [`${asset}/1`] }]);
  expect(await bench.ledger.assetEvents(asset)).toMatchObject([
    { runId: run.runId, payload: { task: 'send' } },
  ]);
});

test('a mapped task is one event when the whole of it has succeeded; a task that fails or is skipped is none', async () => {
  const id = uniqueId('outlets');
  const definition = dag(id, { defaults: { retries: 0 } }, ({ task, map }) => {
    map('each', [1, 2, 3], (item: number) => item, undefined, { outlets: [`${id}.mapped`] });
    const broken = task('broken', () => Promise.reject(new Error('no')), undefined, {
      outlets: [`${id}.broken`],
    });
    task('after', () => 1, undefined, { outlets: [`${id}.after`] }).after(broken);
  });
  await using _ = await working([definition]);
  expect((await bench.result(await bench.start(id))).state).toBe('failed');
  expect(positions(await bench.ledger.assetEvents(`${id}.mapped`))).toEqual([`${id}.mapped/1`]);
  expect(await bench.ledger.assetEvents(`${id}.broken`)).toEqual([]);
  expect(await bench.ledger.assetEvents(`${id}.after`)).toEqual([]);
});

test('events that come while a run goes on are all given to the next, none lost and none twice', async () => {
  const id = uniqueId('slow');
  const gate = Promise.withResolvers<void>();
  const { definition, eaten } = eater(id, { assets: anyOf(`${id}.a`, `${id}.b`) }, () => gate.promise);
  await using _ = await working([definition]);
  await deploy(bench, [definition]);
  await emit(`${id}.a`, '2026-01-01');
  await wakeFeed(bench.client, id);
  await eventually('the first run', () => eaten[0]);
  for (let n = 0; n < 100; n += 1) {
    await emit(`${id}.${n % 2 === 0 ? 'a' : 'b'}`, n % 5 === 0 ? '2026-01-02' : '2026-01-01');
    if (n % 10 === 0) await wakeFeed(bench.client, id);
  }
  await wakeFeed(bench.client, id);
  await eventually('a run of the other date', () => eaten.find(({ date }) => date === '2026-01-02'));
  gate.resolve();
  await wakeFeed(bench.client, id);
  await eventually('all events', () => eaten.flatMap(({ events }) => events).length === 101 || null);
  await eventually(
    'the end of all',
    async () => (await runsOf(bench, id)).every((run) => run.endedAt !== null) || null,
  );
  const all = eaten.flatMap(({ events }) => events);
  expect(new Set(all).size).toBe(101);
  expect(eaten[0]).toEqual({ date: '2026-01-01', events: [`${id}.a/1`] });
  const ofFirstDate = eaten.filter(({ date }) => date === '2026-01-01');
  expect(ofFirstDate.map(({ events }) => events.length)).toEqual([1, 80]);
  expect(await bench.ledger.assetCursors(id)).toMatchObject([
    { unread: 0, waiting: 0 },
    { unread: 0, waiting: 0 },
  ]);
});

test('all of several wait for one another, date by date', async () => {
  const id = uniqueId('both');
  const { definition, eaten } = eater(id, { assets: allOf(`${id}.a`, `${id}.b`) });
  await using _ = await working([definition]);
  await deploy(bench, [definition]);
  await emit(`${id}.a`, '2026-01-01');
  await emit(`${id}.a`, '2026-01-01');
  await emit(`${id}.b`, '2026-01-02');
  await wakeFeed(bench.client, id);
  await eventually('events that wait', async () => {
    const waiting = (await bench.ledger.assetCursors(id)).map((each) => each.waiting);
    return waiting[0] === 2 && waiting[1] === 1 ? waiting : null;
  });
  expect(eaten).toEqual([]);
  await emit(`${id}.b`, '2026-01-01');
  await wakeFeed(bench.client, id);
  await endedRuns(bench, id, 1);
  expect(eaten).toEqual([{ date: '2026-01-01', events: [`${id}.a/1`, `${id}.a/2`, `${id}.b/2`] }]);
});

test('a run of the interval by hand is not disturbed: the events’ own comes after it', async () => {
  const id = uniqueId('by-hand');
  const gate = Promise.withResolvers<void>();
  const { definition, eaten } = eater(id, { assets: `${id}.a` }, () => gate.promise);
  await using _ = await working([definition]);
  await deploy(bench, [definition]);
  const byHand = await bench.start(id);
  await eventually('the run by hand', () => eaten[0]);
  await emit(`${id}.a`, '2026-01-01');
  await wakeFeed(bench.client, id);
  await eventually(
    'an event that waits',
    async () => (await bench.ledger.assetCursors(id))[0]?.waiting === 1 || null,
  );
  gate.resolve();
  expect((await bench.result(byHand)).state).toBe('success');
  await endedRuns(bench, id, 2);
  expect(eaten.map(({ events }) => events)).toEqual([[], [`${id}.a/1`]]);
});

test('a paused DAG keeps its events and gets them when it goes on', async () => {
  const id = uniqueId('paused');
  const { definition, eaten } = eater(id, { assets: `${id}.a` });
  await using _ = await working([definition]);
  await bench.ledger.pause(id);
  await deploy(bench, [definition]);
  for (let n = 0; n < 3; n += 1) await emit(`${id}.a`, '2026-01-01');
  await wakeFeed(bench.client, id);
  await eventually('the feed to say so', async () => {
    const { raw } = await bench.client.workflow.getHandle(`assets:${id}`).describe();
    return raw.workflowExecutionInfo?.historyLength?.toNumber() !== 0 || null;
  });
  expect(await bench.ledger.assetCursors(id)).toMatchObject([{ unread: 3, waiting: 0 }]);
  await bench.ledger.unpause(id, null);
  await wakeFeed(bench.client, id);
  await endedRuns(bench, id, 1);
  expect(eaten).toEqual([{ date: '2026-01-01', events: [1, 2, 3].map((n) => `${id}.a/${n}`) }]);
});

test('a lost signal only delays: the feed looks by itself', async () => {
  const id = uniqueId('unwoken');
  const { definition, eaten } = eater(id, { assets: `${id}.a` });
  await using _ = await working([definition]);
  await deploy(bench, [definition], { pollMs: 500 });
  await emit(`${id}.a`, '2026-01-01');
  await endedRuns(bench, id, 1);
  expect(eaten).toHaveLength(1);
});

test('a feed that is killed between taking events and starting their run starts it when it is deployed again', async () => {
  const id = uniqueId('killed');
  const { definition, eaten } = eater(id, { assets: `${id}.a` });
  await using _ = await working([definition]);
  await deploy(bench, [definition]);
  await bench.client.workflow.getHandle(`assets:${id}`).terminate('test');
  await emit(`${id}.a`, '2026-01-01');
  // As the feed does before it starts the run.
  const [event] = await bench.ledger.unreadEvents(id, 10);
  await bench.ledger.deliverEvents(id, [{ asset: event!.asset, position: event!.position, interval: day }]);
  expect(await bench.ledger.takeEvents(id, day)).toMatchObject({ number: 1, runId: null });
  await deploy(bench, [definition]);
  await endedRuns(bench, id, 1);
  expect(eaten).toEqual([{ date: '2026-01-01', events: [`${id}.a/1`] }]);
  expect((await runsOf(bench, id)).length).toBe(1);
});

test('a worker killed at the moment events are given to a run costs nothing but time', async () => {
  const id = uniqueId('mortal');
  await using folder = await temporaryFolder();
  const marker = join(folder.path, 'marker');
  const { taskQueue, ledgerUrl, cacheFolder } = bench;
  const script = join(import.meta.dirname, 'feed-worker.ts');
  const work = (): ChildProcess =>
    spawn(
      process.execPath,
      [script, inject('temporalAddress'), taskQueue, ledgerUrl, cacheFolder, marker, id],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
  const first = work();
  const died = once(first, 'exit');
  await deploy(bench, [eater(id, { assets: `${id}.a` }).definition]);
  await emit(`${id}.a`, '2026-01-01');
  await emit(`${id}.a`, '2026-01-01');
  await wakeFeed(bench.client, id);
  await died;
  expect(JSON.parse(readFileSync(marker, 'utf8'))).toMatchObject({ number: 1, runId: null });
  await emit(`${id}.a`, '2026-01-01');
  const second = work();
  try {
    await wakeFeed(bench.client, id);
    const runs = await endedRuns(bench, id, 2);
    const outputs = await Promise.all(
      runs.map(async ({ runId }) => (await bench.ledger.attempts(runId))[0]?.output),
    );
    expect(outputs).toHaveLength(2);
    expect(outputs).toEqual(expect.arrayContaining([[1, 2], [3]]));
  } finally {
    const ended = once(second, 'exit');
    second.kill('SIGKILL');
    await ended;
  }
});

test('no more runs start than may be active, oldest interval first', async () => {
  const id = uniqueId('narrow');
  const dates: string[] = [];
  const definition = dag(id, { schedule: { assets: `${id}.a` }, maxActiveRuns: 1 }, ({ task }) => {
    task('work', (_: undefined, context) => {
      dates.push(context.interval.logicalDate.slice(8, 10));
    });
  });
  await using _ = await working([definition]);
  await deploy(bench, [definition]);
  for (const date of ['04', '02', '03', '01']) await emit(`${id}.a`, `2026-01-${date}`);
  await wakeFeed(bench.client, id);
  await endedRuns(bench, id, 4);
  expect(dates).toEqual(['01', '02', '03', '04']);
});

test('a DAG that waits for nothing any more, or is gone, has its feed removed', async () => {
  const id = uniqueId('gone');
  const own = await openBench();
  const { definition } = eater(id, { assets: `${id}.a` });
  await own.work([definition]);
  await deploy(own, [definition]);
  const handle = own.client.workflow.getHandle(`assets:${id}`);
  const ended = () =>
    eventually(
      'the end of the feed',
      async () => (await handle.describe()).status.name === 'COMPLETED' || null,
    );
  await deploy(own, [dag(id, {}, ({ task }) => void task('work', () => 1))]);
  await ended();
  expect(await own.ledger.assetCursors(id)).toEqual([]);
  expect((await own.ledger.clock(id))?.plan).toBeNull();
  await deploy(own, [definition]);
  expect((await handle.describe()).status.name).toBe('RUNNING');
  await deploy(own, [], {});
  expect(await own.ledger.assetCursors(id)).toHaveLength(1);
  await deploy(own, [], { prune: true });
  await ended();
  expect(await own.ledger.assetCursors(id)).toEqual([]);
  await own[Symbol.asyncDispose]();
});
