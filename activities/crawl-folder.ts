import type { Contract } from '../dag/contract.ts';
import type { JsonObject } from '../dag/json.ts';
import type { ExternalJob } from '../ports/jobs.ts';
import type { CrawledTable, RawCrawler } from '../ports/raw-crawler.ts';
import { sourceColumns } from './casting.ts';
import { askingService } from './suspension.ts';
import type { TaskContext } from './task-context.ts';

/** What a crawler made of the folder, over all dates delivered so far: what readers of its table see. */
export interface CrawledFolder {
  readonly table: string;
  readonly partitions: number;
  /** Columns as the crawler took them for, such as `amount double`. */
  readonly columns: readonly string[];
  /** Columns that the contract has and the crawler did not find, and the other way round. */
  readonly missing: readonly string[];
  readonly added: readonly string[];
}

/** The folder all dates of a raw table are below: that of a file without its partition. */
export function rawFolder(key: string, partitionBy: readonly string[]): string {
  const at = partitionBy.length === 0 ? -1 : key.indexOf(`/${partitionBy[0]}=`);
  return key.slice(0, (at === -1 ? key.lastIndexOf('/') : at) + 1);
}

/** Crawls a folder with a crawler, away from this worker while that runs. A body that calls it begins again once the crawl has ended. */
export async function crawlWith(
  crawler: RawCrawler,
  prefix: string,
  context: TaskContext,
): Promise<readonly CrawledTable[]> {
  const call = { signal: context.signal, beat: (note?: string) => context.beat(note) };
  const job = await context.remember(
    'crawl',
    async () => (await askingService(() => crawler.start(prefix, call))) as ExternalJob & JsonObject,
  );
  await context.awaitJob(job);
  return crawler.collect(job, call);
}

/** Names only, in any case: a crawler folds them, and its types are guesses that a date without a fraction changes. */
export function crawledFolder(
  source: Contract,
  { name, columns, partitionBy, partitions }: CrawledTable,
): CrawledFolder {
  const fold = (names: readonly string[]): Set<string> => new Set(names.map((each) => each.toLowerCase()));
  const declared = [...sourceColumns(source).map((column) => column.name), ...source.table.partitionBy];
  const found = columns.map((column) => column.name);
  return {
    table: name,
    partitions,
    columns: columns
      .filter((column) => !partitionBy.includes(column.name))
      .map((column) => `${column.name} ${column.type}`),
    missing: declared.filter((each) => !fold(found).has(each.toLowerCase())),
    added: found.filter((each) => !fold(declared).has(each.toLowerCase())),
  };
}
