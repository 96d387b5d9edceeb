import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { partitionText } from '../../../dag/relation.ts';
import { SnapshotConflictError } from '../../../ports/errors.ts';
import type {
  Ledger,
  PartitionSelector,
  PartitionVersion,
  Publication,
  PublishRequest,
} from '../../../ports/ledger.ts';
import type { ConformanceTest } from '../conformance.ts';
import {
  bronze,
  bronzeDay,
  manifest,
  openRun,
  output,
  reads,
  request,
  silver,
  silverSlice,
  writes,
} from './fixture.ts';
import type { OpenLedger } from './fixture.ts';

const days = ['1', '2', '3'];
const kinds = ['x', 'y'];
const partitions: PartitionSelector[] = [
  ...days.map(bronzeDay),
  ...days.flatMap((day) => kinds.map((kind) => silverSlice(day, kind))),
];
const filters: PartitionSelector[] = [
  { table: bronze.name, where: {} },
  { table: bronze.name, where: { day: ['1', '2'] } },
  { table: silver.name, where: {} },
  ...kinds.map((kind): PartitionSelector => ({ table: silver.name, where: { kind: [kind] } })),
  { table: silver.name, where: { day: ['2'], kind: ['x', 'y'] } },
];

interface Job {
  readonly inputs: readonly PartitionSelector[];
  readonly outputs: readonly PartitionSelector[];
  readonly removed: boolean;
}

const job: fc.Arbitrary<Job> = fc.record({
  inputs: fc.uniqueArray(fc.constantFrom(...partitions, ...filters), { maxLength: 3 }),
  outputs: fc.uniqueArray(fc.constantFrom(...partitions), { minLength: 1, maxLength: 3 }),
  removed: fc.boolean(),
});

interface Done {
  readonly publication: Publication;
  readonly request: PublishRequest;
  /** What the snapshot behind it showed. */
  readonly seen: readonly PartitionVersion[];
}

async function perform(ledger: Ledger, work: Job): Promise<Done> {
  const runId = await openRun(ledger);
  for (let attempt = 1; ; attempt += 1) {
    const { snapshot, partitions: seen } = await ledger.snapshot([
      ...work.inputs.map(reads),
      ...work.outputs.map(writes),
    ]);
    const outputs = work.outputs.map((selector) =>
      output(selector, work.removed ? { removed: true, files: [] } : {}),
    );
    const wanted = request(runId, manifest(snapshot, outputs), { attempt });
    try {
      return { publication: await ledger.publish(wanted), request: wanted, seen };
    } catch (error) {
      if (!(error instanceof SnapshotConflictError)) throw error;
    }
  }
}

interface Written {
  readonly table: string;
  readonly values: Readonly<Record<string, string>>;
  readonly publicationId: number;
}

const nameOf = (table: string, values: Readonly<Record<string, string>>): string =>
  `${table}/${partitionText(table === bronze.name ? bronze : silver, values)}`;

/** The naive ledger: who wrote each partition last, one publication after another. */
class SerialLedger {
  readonly #written = new Map<string, Written>();

  /** Publication ids by partition name. */
  taken(selector: PartitionSelector): Map<string, number> {
    const found = [...this.#written].filter(([name, { table, values }]) => {
      if ('values' in selector) return name === nameOf(selector.table, selector.values);
      const wanted = Object.entries(selector.where);
      return table === selector.table && wanted.every(([column, some]) => some.includes(values[column]!));
    });
    return new Map(found.map(([name, { publicationId }]) => [name, publicationId]));
  }

  apply({ publication, request: { manifest: of } }: Done): void {
    for (const { table, partition: values, removed } of of.outputs) {
      if (removed) this.#written.delete(nameOf(table, values));
      else this.#written.set(nameOf(table, values), { table, values, publicationId: publication.id });
    }
  }
}

/** Each publication, in the order of their ids, worked from exactly what those before it had left. */
async function expectSerial(ledger: Ledger, done: readonly Done[]): Promise<void> {
  const serial = new SerialLedger();
  for (const each of done) {
    const { parts } = each.request.manifest.snapshot;
    const makers = new Map(each.seen.map((version) => [version.version, version.publicationId]));
    for (const { selector, versions } of parts) {
      const present = Object.entries(versions).filter(([, version]) => version !== null);
      const seen = new Map(
        present.map(([text, version]) => [`${selector.table}/${text}`, makers.get(version!)]),
      );
      expect(seen).toEqual(serial.taken(selector));
    }
    serial.apply(each);
  }
  for (const table of [bronze.name, silver.name]) {
    const current = await ledger.partitions(table);
    const readers = current.map(
      (version) => [nameOf(table, version.partition), version.publicationId] as const,
    );
    expect(new Map(readers)).toEqual(serial.taken({ table, where: {} }));
  }
}

export function serialCases(test: ConformanceTest, open: OpenLedger): void {
  describe('concurrent publications', () => {
    test('are as if they had happened one after another, and never lock each other out', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(job, { minLength: 2, maxLength: 24 }), async (jobs) => {
          const fixture = await open();
          try {
            const ledgers = [fixture.ledger, await fixture.another(), await fixture.another()];
            await fixture.ledger.registerTables([bronze, silver]);
            const done = await Promise.all(
              jobs.map((work, index) => perform(ledgers[index % ledgers.length]!, work)),
            );
            done.sort((a, b) => a.publication.id - b.publication.id);
            await expectSerial(fixture.ledger, done);
          } finally {
            await fixture[Symbol.asyncDispose]();
          }
          expect(await fixture.deadlocks()).toBe(0);
        }),
        { numRuns: 15 },
      );
    }, 180_000);
  });
}
