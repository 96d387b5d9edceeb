import type { Json } from '../dag/json.ts';
import { partitionText } from '../dag/relation.ts';
import type { Table } from '../dag/relation.ts';
import type { ExternalJob } from '../ports/jobs.ts';
import type { PartitionVersion } from '../ports/ledger.ts';
import type { CrawledTable } from '../ports/raw-crawler.ts';
import { askingService } from './suspension.ts';
import type { TaskContext } from './task-context.ts';

/** The folder above a table's partitions, from where its files lie; null when there are none, or they lie elsewhere. */
export function zoneOf(table: Table, versions: readonly PartitionVersion[]): string | null {
  for (const { partition, files } of versions)
    for (const { key } of files) {
      const at = key.indexOf(`/${partitionText(table, partition)}/`);
      if (at > 0) return key.slice(0, at + 1);
    }
  return null;
}

/**
 * What a crawler beside the engine finds in a raw zone, for the report and for who looks the zone up in the catalog; null where there is none. The
 * attempt leaves its worker while the crawl goes on.
 */
export async function crawlZone(
  zone: string | null,
  { ports, remember, awaitJob, signal }: TaskContext,
): Promise<readonly CrawledTable[] | null> {
  const { crawler } = ports;
  if (crawler === undefined || zone === null) return null;
  const started = await remember(
    'crawl',
    async () => ({ ...(await askingService(() => crawler.start(zone, { signal }))) }) as Json,
  );
  const crawl = started as unknown as ExternalJob;
  await awaitJob(crawl);
  return askingService(() => crawler.collect(crawl, { signal }));
}
