import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { takeSnapshot } from '../../activities/snapshots.ts';
import type { TaskContext } from '../../activities/task-context.ts';
import type { PartitionSelector } from '../../ports/ledger.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function contextOf(lease: (partitions: readonly PartitionSelector[]) => Promise<boolean>) {
  const ended = new AbortController();
  const warnings: string[] = [];
  const context = {
    lease: true,
    run: { id: 'r' },
    interval: {
      start: '2026-01-01T00:00:00Z',
      end: '2026-01-02T00:00:00Z',
      logicalDate: '2026-01-01T00:00:00Z',
    },
    signal: new AbortController().signal,
    ended: ended.signal,
    log: { info: () => {}, warn: (message: string) => void warnings.push(message) },
    beat: () => {},
    ports: {
      ledger: {
        lease: (_: string, partitions: readonly PartitionSelector[]) => lease(partitions),
        snapshot: (asked: readonly { selector: PartitionSelector; role: string }[]) =>
          Promise.resolve({
            snapshot: { parts: asked.map((each) => ({ ...each, versions: {} })) },
            partitions: [],
          }),
      },
    },
  } as unknown as TaskContext;
  return { context, ended, warnings };
}

const wanted = [
  { name: 'in', table: 'shop.in', selection: () => [{ where: {} }], role: 'input' as const },
  { name: 'out', table: 'shop.out', selection: () => [{ where: {} }], role: 'output' as const },
];

test('leases cover inputs as well as outputs, and last as long as the attempt computes', async () => {
  const asked: (readonly string[])[] = [];
  const { context, ended } = contextOf((partitions) => {
    asked.push(partitions.map(({ table }) => table));
    return Promise.resolve(true);
  });
  await takeSnapshot(context, wanted);
  expect(asked).toEqual([['shop.in', 'shop.out']]);
  await vi.advanceTimersByTimeAsync(30 * 60_000);
  expect(asked.length).toBeGreaterThanOrEqual(30);
  ended.abort();
  const before = asked.length;
  await vi.advanceTimersByTimeAsync(30 * 60_000);
  expect(asked.length).toBe(before);
});

test('a ledger that cannot be reached for a while is asked again', async () => {
  let calls = 0;
  const { context, ended, warnings } = contextOf(() => {
    calls += 1;
    return calls === 2 ? Promise.reject(new Error('connection refused')) : Promise.resolve(true);
  });
  await takeSnapshot(context, wanted);
  await vi.advanceTimersByTimeAsync(130_000);
  expect(calls).toBe(3);
  expect(warnings).toEqual(['The leases could not be renewed']);
  ended.abort();
});
