import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { expect, inject, test, vi } from 'vitest';
import type { TaskContext } from '../../activities/task-context.ts';
import type { DagDefinition } from '../../dag/builder.ts';
import { compileDefinitions } from '../../workers/definitions.ts';
import { openWorker } from '../../workers/worker.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { eventually } from '../support/processes.ts';
import { dag, openBench, temporaryFolder, type Bench } from '../workflows/harness.ts';
import { portsWith } from '../workflows/parts.ts';

vi.setConfig({ testTimeout: 120_000 });

/** A task that stays until it is let go, and what comes after it in this edition of the DAG. */
function edition(after: string, begun: () => void, gate: Promise<void>): DagDefinition<TaskContext> {
  return dag('edited', {}, ({ task }) => {
    const first = task('first', () => {
      begun();
      return gate;
    });
    task(after, () => after).after(first);
  });
}

/** The interpreter with one command more at its beginning: it cannot replay what the other recorded. */
async function changedInterpreter(folder: string): Promise<string> {
  const path = await workflowBundle(join(import.meta.dirname, '../../.vitest/bundles'));
  const code = await readFile(path, 'utf8');
  const begin = "let begun = await uncut(()=>local['ingot.beginRun'](step));";
  const changed = code.replace(
    begin,
    `await (0,_temporalio_workflow__WEBPACK_IMPORTED_MODULE_0__.sleep)(1, { summary: 'changed' }); ${begin}`,
  );
  expect(changed).not.toBe(code);
  // Where a worker with this cache looks for its bundle.
  const own = join(folder, basename(path));
  await writeFile(own, changed);
  return own;
}

interface Version {
  readonly build: string;
  readonly definition: DagDefinition<TaskContext>;
  readonly cacheFolder: string;
}

async function openVersion(bench: Bench, deployment: string, { build, definition, cacheFolder }: Version) {
  const worker = await openWorker({
    connection: { address: inject('temporalAddress') },
    namespace: 'default',
    taskQueue: bench.taskQueue,
    definitions: compileDefinitions([definition]),
    ports: portsWith(bench.ledger),
    build,
    deployment,
    cacheFolder,
    drainMs: 60_000,
  });
  const ended = worker.run();
  return {
    stop: async () => {
      worker.shutdown();
      await ended;
    },
  };
}

/** What `temporal worker deployment set-current-version` does; a version is known once a worker of it has polled. */
async function makeCurrent({ client }: Bench, deploymentName: string, buildId: string): Promise<void> {
  await eventually(`version ${buildId}`, () =>
    client.connection.workflowService
      .setWorkerDeploymentCurrentVersion({ namespace: 'default', deploymentName, buildId, identity: 'test' })
      .then(
        () => true,
        () => null,
      ),
  );
}

const later = { start: '2026-01-02T00:00:00Z', end: '2026-01-03T00:00:00Z' };

test('a run ends on the code that began it, while a changed DAG and interpreter run what starts later', async () => {
  await using bench = await openBench();
  await using folder = await temporaryFolder();
  const deployment = `ingot-${randomUUID()}`;
  const bundles = join(import.meta.dirname, '../../.vitest/bundles');
  const changed = await changedInterpreter(folder.path);
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const old: Version = {
    build: 'one',
    definition: edition('before', begun.resolve, gate.promise),
    cacheFolder: bundles,
  };
  const first = await openVersion(bench, deployment, old);
  await makeCurrent(bench, deployment, 'one');
  const run = await bench.start('edited');
  await begun.promise;

  const second = await openVersion(bench, deployment, {
    build: 'two',
    definition: edition('after', () => {}, Promise.resolve()),
    cacheFolder: folder.path,
  });
  await makeCurrent(bench, deployment, 'two');
  const next = await bench.start('edited', { interval: later });
  expect(await bench.result(next)).toMatchObject({ state: 'success' });
  expect(await bench.states(next)).toEqual({ first: 'success', after: 'success' });
  expect(await bench.summaries(next)).toContain('changed');

  // Nothing of the run is left in any worker's memory: another one of its version reads its history.
  gate.resolve();
  await first.stop();
  const again = await openVersion(bench, deployment, old);
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(await bench.states(run)).toEqual({ first: 'success', before: 'success' });
  expect([(await bench.ledger.run(run.runId))!.build, (await bench.ledger.run(next.runId))!.build]).toEqual([
    'one',
    'two',
  ]);

  // Without versions the second worker would have been handed this, and could not have read it.
  const history = await bench.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
  await expect(
    Worker.runReplayHistory({ workflowBundle: { codePath: changed } }, history),
  ).rejects.toMatchObject({ name: 'DeterminismViolationError' });
  await Promise.all([again.stop(), second.stop()]);
});

test('without versions a run goes on with the plan it began with after its DAG was edited', async () => {
  await using bench = await openBench();
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const body = (after: string, begin: () => void, until: Promise<void>) =>
    dag('edited', {}, ({ task }) => {
      const first = task('first', () => {
        begin();
        return until;
      });
      task('last', () => after, undefined, { summary: after }).after(first);
      if (after === 'new') task('extra', () => 1).after(first);
    });
  const first = await bench.work([body('old', begun.resolve, gate.promise)]);
  const run = await bench.start('edited');
  await begun.promise;
  gate.resolve();
  await first.stop();
  await bench.work([body('new', () => {}, Promise.resolve())]);
  expect(await bench.result(run)).toMatchObject({ state: 'success' });
  expect(await bench.states(run)).toEqual({ first: 'success', last: 'success' });
  const next = await bench.start('edited', { interval: later });
  expect(await bench.result(next)).toMatchObject({ state: 'success' });
  expect(await bench.states(next)).toEqual({ first: 'success', last: 'success', extra: 'success' });
});
