import {
  GlueClient,
  type Partition as GluePartition,
  type Table as GlueTable,
  type TableInput,
} from '@aws-sdk/client-glue';
import { partitionText } from '../../dag/relation.ts';
import type { Abortable, CallOptions } from '../../ports/abortable.ts';
import type { CatalogLog, PublishedTable } from '../../ports/catalog-log.ts';
import type { Catalog, CatalogChange, SyncOptions } from '../../ports/catalog.ts';
import { RetryableError, TerminalError } from '../../ports/errors.ts';
import type { PartitionLog, PartitionVersion } from '../../ports/ledger.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { type AwsOptions, clientOptions } from '../aws/client-options.ts';
import { CatalogClient, type TablePlace } from './catalog-client.ts';
import {
  marks,
  partitionInput,
  pipelineOf,
  sameKeys,
  samePartition,
  sameTable,
  tableInput,
  tableName,
} from './definitions.ts';
import { inLanes } from './lanes.ts';
import { type PartitionChange, writePartitions } from './partition-batches.ts';
import { checkFolder, versionFolder } from './version-folder.ts';

export interface GlueCatalogOptions extends AwsOptions {
  /** A pipeline's tables are in the database `<prefix><pipeline>`. */
  readonly prefix: string;
  readonly ledger: CatalogLog & Pick<PartitionLog, 'tables'>;
  readonly objects: Pick<ObjectStore, 'list' | 'location'>;
}

/** Tables at once. Each holds a connection of the ledger's database meanwhile. */
const tablesAtOnce = 3;
const listingsAtOnce = 8;
/** Times a table's definition is read again because somebody changed it meanwhile. */
const readings = 4;

/**
 * Tables of the ledger in the Glue Data Catalog, each partition at the folder of its current version's files. A table of files as they were delivered is
 * not there: its folder also holds what was delivered before and since, and what a crawler finds of it is the crawler's.
 */
export async function openGlueCatalog(
  options: GlueCatalogOptions,
): Promise<Catalog & { close(): Promise<void> }> {
  const glue = new GlueClient(clientOptions(options));
  return new GlueCatalog(options, glue, await glue.config.region());
}

/** One table's difference between catalog and ledger. */
interface Difference {
  readonly table: { readonly read: GlueTable | null; readonly wanted: TableInput } | null;
  readonly isAnother: boolean;
  readonly partitions: readonly (PartitionChange & { readonly version: PartitionVersion | null })[];
}

class GlueCatalog implements Catalog {
  readonly name: string;
  readonly #options: GlueCatalogOptions;
  readonly #client: CatalogClient;
  readonly #lake: string;

  constructor(options: GlueCatalogOptions, glue: GlueClient, region: string) {
    this.name = `glue:${region}:${options.prefix}`;
    this.#options = options;
    this.#client = new CatalogClient(glue);
    this.#lake = options.objects.location('data/').replace(/data\/?$/, '');
  }

  async sync(tables?: readonly string[], options: SyncOptions = {}): Promise<readonly CatalogChange[]> {
    const names = tables ?? (await this.#allNames());
    const changes = new Map<string, readonly CatalogChange[]>();
    const failures: Error[] = [];
    await inLanes(tablesAtOnce, [...new Set(names)].sort(), async (name) => {
      stopIfAborted(options);
      try {
        changes.set(name, await this.#syncTable(name, options));
      } catch (error) {
        stopIfAborted(options);
        if (!(error instanceof TerminalError || error instanceof RetryableError)) throw error;
        failures.push(error);
      }
    });
    if (failures.length > 0) throw together(failures, names.length);
    return [...changes].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, some]) => some);
  }

  /** What the ledger has, and what the catalog still has of this lake. */
  async #allNames(): Promise<readonly string[]> {
    const { ledger, prefix } = this.#options;
    const known = (await ledger.tables()).map(({ name }) => name);
    const left: string[] = [];
    for (const database of await this.#client.databases(prefix))
      for (const { Name, Parameters } of await this.#client.tables(database))
        if (Parameters?.[marks.lake] === this.#lake) left.push(`${database.slice(prefix.length)}.${Name!}`);
    const lower = new Set(known.map((name) => name.toLowerCase()));
    return [...known, ...left.filter((name) => !lower.has(name))];
  }

  async #syncTable(name: string, options: SyncOptions): Promise<readonly CatalogChange[]> {
    const { ledger } = this.#options;
    const place = { database: `${this.#options.prefix}${pipelineOf(name)}`, table: tableName(name) };
    const { changes, publication } = await ledger.inTurn(
      this.name,
      name,
      async (published, signal) => ({
        changes: await this.#bringInLine(name, place, published, signal, options),
        publication: published?.publication ?? null,
      }),
      options,
    );
    if (options.dryRun !== true && publication !== null) await ledger.synced(this.name, name, publication);
    return changes;
  }

  async #bringInLine(
    name: string,
    place: TablePlace,
    published: PublishedTable | null,
    signal: Abortable,
    { dryRun, sinceLast, beat }: SyncOptions,
  ): Promise<readonly CatalogChange[]> {
    for (let reading = 1; ; reading += 1) {
      const read = await this.#client.table(place);
      refuseOthers(place, read, this.#lake);
      if (published === null || isLeftToCrawlers(published, read)) {
        if (read === null || read.Parameters?.[marks.lake] === undefined) return [];
        if (dryRun !== true) await this.#client.remove(place);
        return [{ table: name, partition: null, action: 'remove', version: null }];
      }
      const difference = await this.#difference(place, published, read, sinceLast === true);
      const changes = changesOf(published, difference);
      if (dryRun === true) return changes;
      if (await this.#write(place, published, difference, signal, beat)) return changes;
      if (reading === readings)
        throw new RetryableError({
          place: `${place.database}.${place.table}`,
          expected: 'to be the only one that writes its definition',
          found: `that it was changed by somebody else ${readings} times in a row`,
          remedy: 'It is tried again; find out who else writes to the database.',
        });
    }
  }

  async #difference(
    place: TablePlace,
    published: PublishedTable,
    read: GlueTable | null,
    sinceLast: boolean,
  ): Promise<Difference> {
    const { objects } = this.#options;
    const { table, partitions } = published;
    const isWhole = table.partitionBy.length === 0;
    const location = (version: PartitionVersion | undefined): string =>
      objects.location(versionFolder(version ?? { files: [] }));
    const root = objects.location(`data/${table.zone}/${table.name.replace('.', '/')}/`);
    const wanted = tableInput(published, this.#lake, isWhole ? location(partitions[0]) : root);
    const isAnother = read !== null && !sameKeys(read, wanted);
    const isSame = read !== null && sameTable(read, wanted);
    const looked = sinceLast && isSame ? sinceLastSync(published) : published;
    const shown = read === null || isAnother || isWhole ? [] : await this.#shown(place, looked, published);
    return {
      table: isSame ? null : { read: isAnother ? null : read, wanted },
      isAnother,
      partitions: isWhole ? [] : partitionChanges(looked, shown, location),
    };
  }

  /** Partitions that the catalog has: all, or those that are looked at. */
  #shown(
    place: TablePlace,
    looked: PublishedTable,
    published: PublishedTable,
  ): Promise<readonly GluePartition[]> {
    if (looked === published) return this.#client.partitions(place);
    const { table, partitions, removed } = looked;
    const values = [...partitions.map(({ partition }) => partition), ...removed];
    return this.#client.somePartitions(
      place,
      values.map((each) => table.partitionBy.map((column) => each[column]!)),
    );
  }

  /** False when the table's definition was changed by somebody since it was read. */
  async #write(
    place: TablePlace,
    published: PublishedTable,
    { table, isAnother, partitions }: Difference,
    signal: Abortable,
    beat: CallOptions['beat'],
  ): Promise<boolean> {
    const versions = [
      ...(table !== null && published.table.partitionBy.length === 0 ? published.partitions : []),
      ...partitions.flatMap(({ version }) => (version === null ? [] : [version])),
    ];
    await inLanes(listingsAtOnce, versions, async (version) => {
      beat?.(`looking at the files of ${version.table}`);
      await checkFolder(this.#options.objects, version);
    });
    stopIfAborted({ signal });
    if (isAnother) await this.#client.remove(place);
    if (table !== null) {
      if (table.read === null)
        await this.#client.ensureDatabase(
          place.database,
          `Tables of the pipeline ${pipelineOf(published.table.name)}, kept in line with Ingot's ledger.`,
        );
      if (!(await this.#client.write(place, table.wanted, table.read))) return false;
    }
    let done = 0;
    try {
      await writePartitions(this.#client, place, partitions, signal, (count) => {
        done += count;
        beat?.(`${done} of ${partitions.length} partitions of ${published.table.name}`);
      });
    } catch (error) {
      throw withProgress(error, `${done} of ${partitions.length} partitions`);
    }
    return true;
  }

  async close(): Promise<void> {
    this.#client.glue.destroy();
  }
}

function stopIfAborted({ signal }: CallOptions): void {
  if (signal?.aborted === true) throw signal.reason;
}

function refuseOthers({ database, table }: TablePlace, read: GlueTable | null, lake: string): void {
  const theirs = read?.Parameters?.[marks.lake];
  if (theirs === undefined || theirs === lake) return;
  throw new TerminalError({
    place: `${database}.${table}`,
    expected: `a table of the lake ${lake}`,
    found: `one of the lake ${theirs}`,
    remedy: 'Give each lake databases of its own by another prefix.',
  });
}

/** Files as they were delivered. A table of the raw zone is known for one by its first file; until then it is left as it is. */
function isLeftToCrawlers({ table, partitions }: PublishedTable, read: GlueTable | null): boolean {
  const files = partitions.flatMap((version) => version.files);
  if (files.length === 0) return table.zone === 'raw' && read === null;
  return files.some(({ key }) => !key.endsWith('.parquet'));
}

/** What was published after the publication the catalog was told of last; all when it was told of none. */
function sinceLastSync(published: PublishedTable): PublishedTable {
  const { synced, partitions } = published;
  if (synced === null) return published;
  return { ...published, partitions: partitions.filter(({ publicationId }) => publicationId > synced) };
}

function partitionChanges(
  published: PublishedTable,
  shown: readonly GluePartition[],
  location: (version: PartitionVersion) => string,
): Difference['partitions'] {
  const there = new Map(shown.map((partition) => [JSON.stringify(partition.Values ?? []), partition]));
  const wanted = published.partitions.map((version) => ({
    version,
    input: partitionInput(published, version, location(version)),
  }));
  const kept = new Set(wanted.map(({ input }) => JSON.stringify(input.Values)));
  return [
    ...wanted.flatMap(({ version, input }): Difference['partitions'] => {
      const found = there.get(JSON.stringify(input.Values));
      if (found !== undefined && samePartition(found, input)) return [];
      return [{ action: found === undefined ? 'create' : 'update', values: input.Values, input, version }];
    }),
    ...shown
      .filter(({ Values }) => !kept.has(JSON.stringify(Values ?? [])))
      .map(({ Values = [] }) => ({ action: 'remove' as const, values: Values, input: null, version: null })),
  ];
}

function changesOf({ table, partitions }: PublishedTable, difference: Difference): readonly CatalogChange[] {
  const version = table.partitionBy.length === 0 ? (partitions[0]?.version ?? null) : null;
  return [
    ...(difference.table === null
      ? []
      : [
          {
            table: table.name,
            partition: null,
            action:
              difference.table.read === null && !difference.isAnother
                ? ('create' as const)
                : ('update' as const),
            version,
          },
        ]),
    ...difference.partitions.map((change) => ({
      table: table.name,
      partition:
        change.version?.partitionText ??
        partitionText(
          table,
          Object.fromEntries(table.partitionBy.map((column, at) => [column, change.values[at]!])),
        ),
      action: change.action,
      version: change.version?.version ?? null,
    })),
  ];
}

function withProgress(error: unknown, progress: string): unknown {
  if (!(error instanceof RetryableError)) return error;
  return new RetryableError(
    { ...error.facts, found: `${error.facts.found} (after ${progress})` },
    { cause: error },
  );
}

/** What can be tried again decides: the rest will fail again, and be told then. */
function together(failures: readonly Error[], tables: number): Error {
  if (failures.length === 1) return failures[0]!;
  const facts = {
    place: 'catalog',
    expected: `${tables} tables to be brought in line`,
    found: `${failures.length} that could not:\n${failures.map(({ message }) => `  ${message}\n`).join('')}`,
    remedy: 'The others are in line.',
  };
  const isRetryable = failures.some((failure) => failure instanceof RetryableError);
  return isRetryable
    ? new RetryableError(facts, { cause: failures })
    : new TerminalError(facts, { cause: failures });
}
