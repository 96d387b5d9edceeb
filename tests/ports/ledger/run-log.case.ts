import { describe, expect } from 'vitest';
import { RunClosedError, TerminalError } from '../../../ports/errors.ts';
import type { AttemptRecord } from '../../../ports/ledger.ts';
import type { ConformanceTest } from '../conformance.ts';
import { hashOf, newRun, openRun, plan, silver, silverSlice } from './fixture.ts';
import type { OpenLedger } from './fixture.ts';

function attempt(overrides: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    taskId: 'load',
    mapIndex: -1,
    attempt: 1,
    state: 'running',
    scheduledAt: '2026-01-02T00:00:10Z',
    startedAt: null,
    endedAt: null,
    worker: null,
    failure: null,
    output: null,
    ...overrides,
  };
}

export function runLogCases(test: ConformanceTest, open: OpenLedger): void {
  describe('run log', () => {
    test('a run begun twice is one run, read back as it was written', async () => {
      await using fixture = await open();
      const run = newRun({ params: { days: 3, name: 'naïve' } });
      await fixture.ledger.beginRun(run);
      await fixture.ledger.beginRun(run);
      const { plan: _, ...facts } = run;
      expect(await fixture.ledger.runs({})).toEqual([
        { ...facts, state: 'running', queued: true, held: false, endedAt: null, failure: null },
      ]);
      expect(await fixture.ledger.run(run.runId)).toMatchObject(facts);
      expect(await fixture.ledger.run('another')).toBeNull();
    });

    test('whoever begins a run again, with whatever plan, is told the plan it has', async () => {
      await using fixture = await open();
      const run = newRun();
      expect(await fixture.ledger.beginRun(run)).toBe(run.planHash);
      const changed = { ...plan, tags: ['changed'] };
      const again = { ...run, plan: changed, planHash: hashOf(changed) };
      expect(await (await fixture.another()).beginRun(again)).toBe(run.planHash);
      expect(await fixture.ledger.run(run.runId)).toMatchObject({ planHash: run.planHash });
    });

    test('two processes beginning a run at the same moment make one run', async () => {
      await using fixture = await open();
      const other = await fixture.another();
      const run = newRun();
      await Promise.all([fixture.ledger, other, fixture.ledger, other].map((ledger) => ledger.beginRun(run)));
      expect(await fixture.ledger.runs({})).toHaveLength(1);
    });

    test('a plan is kept by its hash, to the last character', async () => {
      await using fixture = await open();
      const odd = { ...plan, description: 'zero \0 and half a pair \ud800, ünïcode', tags: ['b', 'a'] };
      await openRun(fixture.ledger, { plan: odd, planHash: hashOf(odd) });
      const kept = await fixture.ledger.plan(hashOf(odd));
      expect(kept).toEqual(odd);
      expect(hashOf(kept!)).toBe(hashOf(odd));
      expect(await fixture.ledger.plan('unknown')).toBeNull();
    });

    test('a run whose execution ended unsaid is closed when the next one of its workflow begins', async () => {
      await using fixture = await open();
      const first = await openRun(fixture.ledger, {
        workflowId: 'shop-1',
        startedAt: '2026-01-02T00:00:00Z',
      });
      const second = await openRun(fixture.ledger, {
        workflowId: 'shop-1',
        startedAt: '2026-01-02T01:00:00Z',
      });
      expect(await fixture.ledger.run(first)).toMatchObject({
        state: 'failed',
        endedAt: '2026-01-02T01:00:00Z',
        failure: { type: 'RunReplaced' },
      });
      expect(await fixture.ledger.run(second)).toMatchObject({ state: 'running' });
      expect(await fixture.ledger.events({ kind: 'run_replaced' })).toMatchObject([
        { payload: { runId: first, by: second } },
      ]);
      await expect(fixture.ledger.beginRun(newRun({ runId: first, workflowId: 'shop-1' }))).rejects.toThrow(
        RunClosedError,
      );
    });

    test('the late beginning of an execution that was already followed by another is refused', async () => {
      await using fixture = await open();
      const late = newRun({ workflowId: 'shop-1', startedAt: '2026-01-02T00:00:00Z' });
      const second = await openRun(fixture.ledger, {
        workflowId: 'shop-1',
        startedAt: '2026-01-02T01:00:00Z',
      });
      await expect(fixture.ledger.beginRun(late)).rejects.toThrow(RunClosedError);
      expect(await fixture.ledger.run(second)).toMatchObject({ state: 'running' });
      await fixture.ledger.endRun(second, 'success', '2026-01-02T02:00:00Z', null);
      await expect(fixture.ledger.beginRun(late)).rejects.toThrow(second);
    });

    test('closing a run twice keeps the first outcome, and it does not open again', async () => {
      await using fixture = await open();
      const run = newRun();
      await fixture.ledger.beginRun(run);
      const failure = { task: 'load', type: 'Error', message: 'no', retryable: false };
      const end = (outcome: 'failed' | 'success', at: string) =>
        fixture.ledger.endRun(run.runId, outcome, at, outcome === 'failed' ? failure : null);
      expect(await end('failed', '2026-01-02T00:10:00Z')).toBe('failed');
      expect(await end('success', '2026-01-02T00:20:00Z')).toBe('failed');
      expect(await fixture.ledger.run(run.runId)).toMatchObject({
        state: 'failed',
        endedAt: '2026-01-02T00:10:00Z',
        failure,
      });
      await expect(fixture.ledger.beginRun(run)).rejects.toThrow(RunClosedError);
    });

    test('a run that was never begun cannot be closed', async () => {
      await using fixture = await open();
      await expect(fixture.ledger.endRun('nobody', 'success', '2026-01-02T00:00:00Z', null)).rejects.toThrow(
        TerminalError,
      );
    });

    test('an open run is held and goes on, which ends its leases; a closed one never is', async () => {
      await using fixture = await open();
      const runId = await openRun(fixture.ledger);
      await fixture.ledger.registerTables([silver]);
      const slice = silverSlice('2026-01-01', 'a');
      expect(await fixture.ledger.lease(runId, [slice], 60_000)).toBe(true);
      await fixture.ledger.holdRun(runId, true);
      expect(await fixture.ledger.run(runId)).toMatchObject({ state: 'running', held: true });
      expect(await fixture.ledger.runs({ held: true })).toMatchObject([{ runId }]);
      const other = await openRun(fixture.ledger, { workflowId: 'another' });
      expect(await fixture.ledger.lease(other, [slice], 60_000)).toBe(true);
      await fixture.ledger.holdRun(runId, false);
      expect(await fixture.ledger.run(runId)).toMatchObject({ held: false });
      await fixture.ledger.holdRun(runId, true);
      await fixture.ledger.endRun(runId, 'failed', '2026-01-02T00:10:00Z', null);
      await fixture.ledger.holdRun(runId, true);
      expect(await fixture.ledger.run(runId)).toMatchObject({ state: 'failed', held: false });
    });

    test('attempts may arrive late and twice, and a finished one never moves back', async () => {
      await using fixture = await open();
      const runId = await openRun(fixture.ledger);
      const done = attempt({
        state: 'success',
        endedAt: '2026-01-02T00:00:20Z',
        output: { rows: [1, null] },
      });
      await fixture.ledger.recordAttempts(runId, [
        attempt({ state: 'scheduled' }),
        attempt({ worker: 'w1' }),
      ]);
      await fixture.ledger.recordAttempts(runId, [attempt({ state: 'scheduled' })]);
      expect(await fixture.ledger.attempts(runId)).toEqual([attempt({ worker: 'w1' })]);
      await fixture.ledger.recordAttempts(runId, [done]);
      await fixture.ledger.recordAttempts(runId, [attempt({ state: 'failed' }), attempt()]);
      await fixture.ledger.recordAttempts(runId, [done]);
      expect(await fixture.ledger.attempts(runId)).toEqual([{ ...done, worker: 'w1' }]);
    });

    test('a waiting attempt runs again, and one up for retry is followed by the next', async () => {
      await using fixture = await open();
      const runId = await openRun(fixture.ledger);
      for (const state of ['running', 'waiting', 'running', 'up_for_retry'] as const)
        await fixture.ledger.recordAttempts(runId, [attempt({ state })]);
      await fixture.ledger.recordAttempts(runId, [
        attempt({ attempt: 2, scheduledAt: '2026-01-02T00:00:30Z' }),
      ]);
      const states = (await fixture.ledger.attempts(runId)).map((record) => [record.attempt, record.state]);
      expect(states).toEqual([
        [1, 'up_for_retry'],
        [2, 'running'],
      ]);
    });

    test('ten thousand attempts are recorded in one call', async () => {
      await using fixture = await open();
      const runId = await openRun(fixture.ledger);
      const many = Array.from({ length: 10_000 }, (_, mapIndex) =>
        attempt({ mapIndex, output: { mapIndex } }),
      );
      await fixture.ledger.recordAttempts(runId, many);
      const kept = await fixture.ledger.attempts(runId);
      expect(kept.map((record) => record.mapIndex)).toEqual(many.map((record) => record.mapIndex));
    });

    test('text that a store may choke on does not lose the record', async () => {
      await using fixture = await open();
      const runId = await openRun(fixture.ledger);
      const failure = { type: 'Error', message: 'binary \0 and half a pair \ud800', retryable: true };
      await fixture.ledger.recordAttempts(runId, [attempt({ state: 'failed', failure, output: ['\0'] })]);
      const [kept] = await fixture.ledger.attempts(runId);
      expect(kept!.failure!.message).toMatch(/^binary .* and half a pair .$/);
    });

    test('attempts of a run nobody began are refused', async () => {
      await using fixture = await open();
      await expect(fixture.ledger.recordAttempts('nobody', [attempt()])).rejects.toThrow(TerminalError);
    });

    test('an event is kept once, whoever tells it again', async () => {
      await using fixture = await open();
      const runId = await openRun(fixture.ledger);
      const event = { key: 'alert:1', kind: 'alert', at: '2026-01-02T00:00:00Z', payload: { n: 1 } };
      await fixture.ledger.recordAttempts(
        runId,
        [],
        [event, { ...event, key: 'alert:2' }, { ...event, key: 'b', kind: 'other' }],
      );
      await fixture.ledger.recordAttempts(runId, [], [{ ...event, payload: { n: 2 } }]);
      expect(await fixture.ledger.events({ keyPrefix: 'alert:1' })).toEqual([event]);
      expect((await fixture.ledger.events({ kind: 'alert' })).map(({ key }) => key)).toEqual([
        'alert:2',
        'alert:1',
      ]);
      expect(await fixture.ledger.events({ limit: 2 })).toHaveLength(2);
    });

    test('parked progress is read back part by part, two revisions of it, until the run ends', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const runId = await openRun(ledger);
      const read = (revision: number, part: number) => ledger.parkedProgress({ runId, revision, part });
      for (let revision = 1; revision <= 3; revision += 1)
        for (const part of [0, 1])
          await ledger.parkProgress(
            { runId, revision, part },
            `revision ${revision}, part ${part}: {"ü":"\\u0000"}`,
          );
      expect(await read(3, 1)).toBe('revision 3, part 1: {"ü":"\\u0000"}');
      expect(await read(2, 0)).toBe('revision 2, part 0: {"ü":"\\u0000"}');
      expect(await read(1, 0)).toBeNull();
      await ledger.parkProgress({ runId, revision: 3, part: 1 }, 'again');
      expect(await read(3, 1)).toBe('again');
      await ledger.endRun(runId, 'success', '2026-01-03T00:00:00Z', null);
      expect(await read(3, 0)).toBeNull();
    });

    test('runs are listed newest first, by DAG, state and workflow', async () => {
      await using fixture = await open();
      const ids: string[] = [];
      for (let hour = 0; hour < 4; hour += 1)
        ids.push(
          await openRun(fixture.ledger, {
            dagId: hour % 2 === 0 ? 'even' : 'odd',
            workflowId: `w-${hour}`,
            startedAt: `2026-01-02T0${hour}:00:00Z`,
          }),
        );
      await fixture.ledger.endRun(ids[2]!, 'cancelled', '2026-01-03T00:00:00Z', null);
      const listed = async (filter: Parameters<typeof fixture.ledger.runs>[0]) =>
        (await fixture.ledger.runs(filter)).map((run) => ids.indexOf(run.runId));
      expect(await listed({})).toEqual([3, 2, 1, 0]);
      expect(await listed({ limit: 2 })).toEqual([3, 2]);
      expect(await listed({ dagId: 'even' })).toEqual([2, 0]);
      expect(await listed({ dagId: 'even', state: 'running' })).toEqual([0]);
      expect(await listed({ state: 'cancelled' })).toEqual([2]);
      expect(await listed({ workflowId: 'w-1' })).toEqual([1]);
    });
  });
}
