import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byTurn, nextGrants, poolRefusal, type PoolRequest } from '../../dag/pools.ts';

type Action =
  | { readonly do: 'ask'; readonly slots: number; readonly priority: number }
  | { readonly do: 'release'; readonly which: number }
  | { readonly do: 'resize'; readonly slots: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    do: fc.constant('ask' as const),
    slots: fc.integer({ min: 1, max: 4 }),
    priority: fc.integer({ min: -1, max: 1 }),
  }),
  fc.record({ do: fc.constant('release' as const), which: fc.nat(20) }),
  fc.record({ do: fc.constant('resize' as const), slots: fc.nat(5) }),
);

/** A pool as the ledger keeps it: whatever happens, it is served at once. */
class Pool {
  size = 3;
  held: PoolRequest[] = [];
  waiting: PoolRequest[] = [];
  #tickets = 0;

  get inUse(): number {
    return this.held.reduce((sum, { slots }) => sum + slots, 0);
  }

  perform(one: Action): readonly PoolRequest[] {
    if (one.do === 'resize') this.size = one.slots;
    else if (one.do === 'release') this.held.splice(one.which, 1);
    else if (poolRefusal('p', this.size, one.slots) === null)
      this.waiting.push({ slots: one.slots, priority: one.priority, ticket: (this.#tickets += 1) });
    const granted = nextGrants(this.size, this.inUse, this.waiting);
    this.held.push(...granted);
    this.waiting = this.waiting.filter((request) => !granted.includes(request));
    return granted;
  }
}

const actions = fc.array(action, { maxLength: 60 });

test('a pool never grants more than it has, serves whoever is first and fits, and nobody overtakes', () => {
  fc.assert(
    fc.property(actions, (all) => {
      const pool = new Pool();
      for (const one of all) {
        const before = pool.inUse - (one.do === 'release' ? (pool.held[one.which]?.slots ?? 0) : 0);
        const granted = pool.perform(one);
        if (granted.length > 0) expect(pool.inUse).toBeLessThanOrEqual(pool.size);
        else expect(pool.inUse).toBe(before);
        // Only those the pool could hold when empty are in line.
        const line = pool.waiting.filter(({ slots }) => slots <= pool.size).sort(byTurn);
        const [first] = line;
        if (first !== undefined) expect(pool.inUse + first.slots).toBeGreaterThan(pool.size);
        for (const request of granted)
          for (const other of line) expect(byTurn(request, other)).toBeLessThan(0);
      }
    }),
    { numRuns: 2000 },
  );
});

test('whatever happened before, everybody who fits gets a turn once holders end', () => {
  fc.assert(
    fc.property(actions, (all) => {
      const pool = new Pool();
      for (const one of all) pool.perform(one);
      pool.perform({ do: 'resize', slots: 4 });
      for (let n = 0; pool.held.length > 0; n += 1) {
        expect(n).toBeLessThan(200);
        pool.perform({ do: 'release', which: 0 });
      }
      expect(pool.waiting).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});

test('a large request is served before small ones that came after it', () => {
  const request = (ticket: number, slots: number, priority = 0): PoolRequest => ({ ticket, slots, priority });
  const large = request(1, 3);
  const small = request(2, 1);
  expect(nextGrants(3, 1, [small, large])).toEqual([]);
  expect(nextGrants(3, 0, [small, large])).toEqual([large]);
  expect(nextGrants(3, 1, [request(3, 1, 1), small, large])).toEqual([request(3, 1, 1)]);
});

test('a request larger than the pool stands in nobody’s way, and says how to make it fit', () => {
  const [large, small] = [
    { ticket: 1, slots: 3, priority: 9 },
    { ticket: 2, slots: 1, priority: 0 },
  ];
  expect(nextGrants(2, 0, [large, small])).toEqual([small]);
  expect(poolRefusal('warehouse', 2, 3)).toMatchObject({
    type: 'PoolTooSmall',
    retryable: false,
    message: expect.stringContaining('`ingot pools set warehouse 3`') as string,
  });
  expect(poolRefusal('warehouse', 0, 3)).toBeNull();
});
