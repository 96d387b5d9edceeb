import { removeCrawler, removeDatabase } from '../../engines/glue/clean-up.ts';
import { awsOptions } from '../aws-watching.ts';
import { awaitValue } from './await-value.ts';
import { unexpected } from './outcome.ts';
import type { Verify } from './verification.ts';

const crawlMs = 15 * 60_000;

/** A crawler over two folders of CSV. */
export const verifyCrawler: Verify = async (verification, checks) => {
  const { lake, config } = verification;
  const elsewhere = await lake.openElsewhere();
  const { crawler } = elsewhere;
  if (crawler === undefined) {
    await elsewhere.close();
    return checks.skip('crawlers', 'aws.glue.role is not set');
  }
  const aws = awsOptions(config);
  const database = `${config.databasePrefix}raw_zones`;
  verification.cleanUp(`the database ${database}`, () => removeDatabase(aws, database));
  const expected = 'one table of id and price, in 2 partitions of ingest_date';
  await checks.check('a crawl of a raw zone', expected, async () => {
    for (const day of ['2026-01-01', '2026-01-02'])
      await lake.objects.put(
        `landing/prices/ingest_date=${day}/prices.csv`,
        Buffer.from('id,price\n1,2.50\n2,3.75\n3,4.25\n'),
      );
    const job = await crawler.start('landing/prices');
    const name = job.id.slice(0, job.id.lastIndexOf('@'));
    verification.cleanUp(`the crawler ${name}`, () => removeCrawler(aws, name));
    await awaitValue('the crawl to end', crawlMs, async () =>
      (await crawler.look(job)).state === 'ended' ? true : null,
    );
    const found = (await crawler.collect(job)).map(({ columns, partitionBy, partitions }) => {
      const names = columns.map((column) => column.name).filter((column) => !partitionBy.includes(column));
      return `one table of ${names.join(' and ')}, in ${partitions} partitions of ${partitionBy.join(', ')}`;
    });
    if (found.join() !== expected) throw unexpected(expected, found.join('; ') || 'no table');
    return found.join();
  });
  await elsewhere.close();
};
