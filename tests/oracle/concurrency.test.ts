import { describe, expect, test } from 'vitest';
import type { Manifest } from '../../ports/ledger.ts';
import { openLake, sources } from './lake.ts';
import type { Lake, SourceName } from './lake.ts';

const dates = ['2026-01-20', '2026-01-21', '2026-01-22'];
const generation = { rows: 250, dates, dirtShare: 0.01 };
/** The task that decides which copy stays, and so looks at its neighbours' days. */
const deciding = 'silver';

/** Lets nobody through before `count` have come. */
function barrier(count: number): () => Promise<void> {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  let come = 0;
  return () => {
    if (++come >= count) open();
    return opened;
  };
}

interface Gate {
  /** Resolves when somebody stands before it. */
  readonly reached: Promise<void>;
  readonly open: () => void;
  readonly pass: () => Promise<void>;
}

function gate(): Gate {
  let open!: () => void;
  let arrive!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  return {
    reached,
    open,
    pass: () => {
      arrive();
      return opened;
    },
  };
}

async function runAll(lake: Lake, source: SourceName, which: readonly string[]): Promise<void> {
  for (const date of which)
    expect(await lake.run(source, date)).toMatchObject({ outcome: 'success', failures: {} });
}

describe.each(sources)('%s', { timeout: 180_000 }, (source) => {
  test('neighbouring intervals that compute at the same moment come to the tables of the oracle', async () => {
    const meet = barrier(dates.length);
    let computed = 0;
    await using lake = await openLake({
      onComputed: async (task) => {
        if (task !== deciding) return;
        computed++;
        await meet();
      },
    });
    await lake.generate(source, { seed: 'together', ...generation });
    const results = await Promise.all(dates.map((date) => lake.run(source, date)));
    expect(results.map(({ outcome }) => outcome)).toEqual(dates.map(() => 'success'));
    // All three computed from a snapshot in which the others had not published.
    expect(computed).toBeGreaterThan(dates.length);
    expect(await lake.differences(source, dates)).toEqual([]);
  });

  test('intervals in reverse give the tables of the oracle, after every run', async () => {
    await using lake = await openLake();
    await lake.generate(source, { seed: 'reverse', ...generation });
    for (const [index, date] of dates.toReversed().entries()) {
      await runAll(lake, source, [date]);
      expect(await lake.differences(source, dates.slice(dates.length - 1 - index))).toEqual([]);
    }
  });

  test('of two runs of one interval at once the newer stands, and the tables are those of one run', async () => {
    await using lake = await openLake();
    await lake.generate(source, { seed: 'twice', ...generation });
    await runAll(lake, source, dates.slice(1));
    const results = await Promise.allSettled([lake.run(source, dates[0]!), lake.run(source, dates[0]!)]);
    // The older one may be refused when it begins, or when it first publishes.
    const refused = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as Error] : [],
    );
    expect(refused.filter(({ name }) => name !== 'RunClosedError')).toEqual([]);
    const outcomes = results.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value.outcome] : [],
    );
    expect(outcomes).toContain('success');
    expect(await lake.differences(source, dates)).toEqual([]);
  });

  test('an attempt that comes back after its interval was run again cannot publish', async () => {
    const late = gate();
    let first = true;
    await using lake = await openLake({
      onComputed: async (task) => {
        if (task !== deciding || !first) return;
        first = false;
        await late.pass();
      },
    });
    await lake.generate(source, { seed: 'zombie', ...generation });
    const zombie = lake.run(source, dates[0]!);
    await late.reached;
    await runAll(lake, source, dates);
    late.open();
    expect(await zombie).toMatchObject({
      failures: { [deciding]: expect.stringMatching(/closed|newer|open/) },
    });
    expect(await lake.differences(source, dates)).toEqual([]);
  });

  test('a manifest of an earlier attempt changes nothing when it is published again, late or under another number', async () => {
    let kept: Manifest | null = null;
    await using lake = await openLake({
      onComputed: (task, manifest) => {
        if (task === deciding) kept ??= manifest;
      },
    });
    const { ledger } = lake.harness.ports;
    await lake.generate(source, { seed: 'late', ...generation });
    const { runId } = await lake.run(source, dates[0]!);
    await runAll(lake, source, dates.slice(1));
    const publish = (attempt: number): Promise<unknown> =>
      ledger.publish({
        runId,
        taskId: deciding,
        mapIndex: -1,
        attempt,
        build: 'zombie',
        manifest: kept!,
        publishedAt: new Date().toISOString(),
      });
    const before = await ledger.history({ runId });
    await publish(1);
    await expect(publish(2)).rejects.toMatchObject({ name: 'RunClosedError' });
    expect(await ledger.history({ runId })).toEqual(before);
    expect(await lake.differences(source, dates)).toEqual([]);
  });

  test('the attempt of a cancelled run goes on in vain, and the next run makes up for it', async () => {
    let cancel: (() => Promise<void>) | null = null;
    await using lake = await openLake({
      onComputed: async (task) => {
        if (task === deciding) await cancel?.();
      },
    });
    const { ledger } = lake.harness.ports;
    await lake.generate(source, { seed: 'cancelled', ...generation });
    await runAll(lake, source, dates.slice(0, 1));
    cancel = async () => {
      const [open] = await ledger.runs({ dagId: source, state: 'running' });
      await ledger.endRun(open!.runId, 'cancelled', new Date().toISOString(), null);
    };
    const cancelled = await lake.run(source, dates[1]!);
    expect(Object.keys(cancelled.failures)).toContain(deciding);
    expect((await ledger.history({ runId: cancelled.runId })).map(({ taskId }) => taskId)).not.toContain(
      deciding,
    );
    expect((await ledger.run(cancelled.runId))!.state).toBe('cancelled');
    expect(await lake.differences(source, dates.slice(0, 1))).toEqual([]);
    cancel = null;
    await runAll(lake, source, dates.slice(1));
    expect(await lake.differences(source, dates)).toEqual([]);
  });

  test('loads of one target at the same moment leave the rows of the oracle', async () => {
    await using lake = await openLake();
    await lake.generate(source, { seed: 'loads', ...generation });
    await runAll(lake, source, dates);
    await Promise.all(dates.map((date) => lake.run(source, date)));
    expect(await lake.differences(source, dates)).toEqual([]);
  });
});
