import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { RunClosedError, TerminalError } from '../../../ports/errors.ts';
import type { Ledger } from '../../../ports/ledger.ts';
import type { PoolAsk, PoolReply } from '../../../ports/pools.ts';
import type { ConformanceTest } from '../conformance.ts';
import { openRun } from './fixture.ts';
import type { OpenLedger } from './fixture.ts';

/** A run that asks one pool for slots, one request at a time. */
async function openAsker(ledger: Ledger) {
  const runId = await openRun(ledger);
  const requests = { runId, workflowId: `shop-${runId}` };
  const newAsk = (given: Partial<PoolAsk>): PoolAsk => ({
    leaseId: randomUUID(),
    pool: 'p',
    task: 'work',
    slots: 1,
    priority: 0,
    ...given,
  });
  const ask = async (of: PoolAsk): Promise<PoolReply['leases'][string] | undefined> =>
    (await ledger.leasePools({ ...requests, releases: [], asks: [of] })).reply.leases[of.leaseId];
  const release = async (of: PoolAsk): Promise<readonly string[]> => {
    const { grants } = await ledger.leasePools({ ...requests, releases: [of], asks: [] });
    return grants.map(({ leaseId }) => leaseId);
  };
  return { runId, newAsk, ask, release };
}

export function poolCases(test: ConformanceTest, open: OpenLedger): void {
  describe('pools', () => {
    test('slots are granted by priority, then first come first served, and never more than there are', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.setPool('p', 2);
      const { newAsk, ask, release } = await openAsker(ledger);
      const [a, b, low, later, high] = [0, 0, -1, 0, 7].map((priority) => newAsk({ priority })) as [
        PoolAsk,
        PoolAsk,
        PoolAsk,
        PoolAsk,
        PoolAsk,
      ];
      expect(await ask(a)).toEqual({ state: 'granted' });
      expect(await ask(b)).toEqual({ state: 'granted' });
      expect(await ask(low)).toEqual({ state: 'waits', ahead: 0 });
      expect(await ask(later)).toEqual({ state: 'waits', ahead: 0 });
      expect(await ask(high)).toEqual({ state: 'waits', ahead: 0 });
      expect(await ask(low)).toEqual({ state: 'waits', ahead: 2 });
      expect(await ask(a)).toEqual({ state: 'granted' });
      expect((await ledger.poolLeases('p')).map(({ leaseId }) => leaseId)).toEqual(
        [a, b, high, later, low].map(({ leaseId }) => leaseId),
      );
      expect(await release(a)).toEqual([high.leaseId]);
      expect(await release(a)).toEqual([]);
      expect(await release(b)).toEqual([later.leaseId]);
      expect(await ledger.pools()).toMatchObject([{ name: 'p', slots: 2, held: 2, holders: 2, waiting: 1 }]);
    });

    test('of many runs asking at once no more than fit are granted, and the rest as slots come free', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const other = await fixture.another();
      await ledger.setPool('p', 3);
      const askers = await Promise.all(Array.from({ length: 12 }, () => openAsker(ledger)));
      const leases = askers.map((asker, index) => ({
        ...asker,
        lease: asker.newAsk({ slots: 1 + (index % 2) }),
      }));
      await Promise.all(leases.map(({ ask, lease }) => ask(lease)));
      for (let left = leases; left.length > 0;) {
        expect((await other.pools())[0]!.held).toBeLessThanOrEqual(3);
        const held = (await other.poolLeases('p')).filter(({ grantedAt }) => grantedAt !== null);
        expect(held.length).toBeGreaterThan(0);
        const done = new Set(held.map(({ leaseId }) => leaseId));
        await Promise.all(
          left.filter(({ lease }) => done.has(lease.leaseId)).map(({ release, lease }) => release(lease)),
        );
        left = left.filter(({ lease }) => !done.has(lease.leaseId));
      }
      expect((await ledger.pools())[0]).toMatchObject({ held: 0, waiting: 0 });
    });

    test('a request that arrives after its release is never granted', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.setPool('p', 1);
      const { newAsk, ask, release } = await openAsker(ledger);
      const late = newAsk({});
      await release(late);
      expect(await ask(late)).toBeUndefined();
      expect(await ledger.pools()).toMatchObject([{ held: 0, waiting: 0 }]);
    });

    test('a run that closes leaves its pools, and a closed run takes no slots', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      await ledger.setPool('p', 1);
      const [first, second] = [await openAsker(ledger), await openAsker(ledger)];
      const waiting = second.newAsk({});
      expect(await first.ask(first.newAsk({}))).toEqual({ state: 'granted' });
      expect(await second.ask(waiting)).toMatchObject({ state: 'waits' });
      expect([...(await ledger.runsInPools())].sort()).toEqual([first.runId, second.runId].sort());
      await ledger.endRun(first.runId, 'failed', '2026-01-02T00:10:00Z', null);
      expect(await ledger.servePools()).toEqual([
        { leaseId: waiting.leaseId, workflowId: `shop-${second.runId}` },
      ]);
      // Until somebody says that it was told, it is answered again.
      expect(await ledger.servePools()).toHaveLength(1);
      await ledger.grantsTold([waiting.leaseId]);
      expect(await ledger.servePools()).toEqual([]);
      await expect(first.ask(first.newAsk({}))).rejects.toThrow(RunClosedError);
    });

    test('a pool made smaller takes nothing away, and one made larger serves who waits', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      expect(await ledger.setPool('p', 2, 'connections')).toBe('created');
      expect(await ledger.setPool('p', 2)).toBe('unchanged');
      const { newAsk, ask, release } = await openAsker(ledger);
      const [a, b, c] = [newAsk({}), newAsk({}), newAsk({ slots: 2 })];
      await ask(a);
      await ask(b);
      await ask(c);
      expect(await ledger.setPool('p', 1)).toBe('changed');
      expect(await ledger.pools()).toMatchObject([{ slots: 1, held: 2, description: 'connections' }]);
      expect(await release(a)).toEqual([]);
      expect(await release(b)).toEqual([]);
      // It waits although it does not fit any more; who comes new is refused, and gets in nobody's way.
      expect(await ask(c)).toEqual({ state: 'waits', ahead: 0 });
      expect(await ask(newAsk({ slots: 2 }))).toMatchObject({
        state: 'refused',
        failure: { type: 'PoolTooSmall', retryable: false },
      });
      const small = newAsk({});
      expect(await ask(small)).toEqual({ state: 'granted' });
      await release(small);
      await ledger.setPool('p', 2);
      expect((await ledger.servePools()).map(({ leaseId }) => leaseId)).toEqual([c.leaseId]);
    });

    test('a pool in use is not deleted, and one that does not exist is waited for', async () => {
      await using fixture = await open();
      const { ledger } = fixture;
      const { newAsk, ask, release } = await openAsker(ledger);
      const early = newAsk({});
      expect(await ask(early)).toEqual({ state: 'waits', ahead: 0 });
      expect(await ledger.pools()).toMatchObject([{ name: 'p', slots: null, waiting: 1 }]);
      await expect(ledger.deletePool('p')).rejects.toThrow(TerminalError);
      await ledger.setPool('p', 1);
      expect(await ask(early)).toEqual({ state: 'granted' });
      await expect(ledger.deletePool('p')).rejects.toThrow(/1 holding and 0 waiting/);
      await release(early);
      await ledger.deletePool('p');
      expect(await ledger.pools()).toEqual([]);
    });
  });
}
