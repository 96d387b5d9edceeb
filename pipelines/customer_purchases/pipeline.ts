import { dag } from '../../activities/index.ts';
import * as to from './tasks.ts';

/** Purchases of all shops. What each task reads, writes and promises is in `tasks.ts`, the tables and rules in `contract.ts`. */
export const customerPurchases = dag(
  'customer_purchases',
  {
    description: 'Purchases of all shops, from files to one row per customer in Postgres.',
    schedule: '@daily',
    startDate: '2026-01-01',
    tags: ['lake', 'warehouse'],
    params: {
      input: {
        type: 'string',
        required: false,
        description: 'Object key of one CSV file to take in place of the landing folder’s.',
      },
    },
  },
  ({ task, params }) => {
    const taken = task('ingest', to.ingestFiles, { input: params.input });
    const crawledRaw = task('crawl_raw', to.crawlRaw, taken);
    const spelled = task('spell', to.spellings, crawledRaw.output.records);
    const bronze = task('bronze', to.bronzeTable, { raw: crawledRaw.output.records, spellings: spelled });
    const crawledBronze = task('crawl_bronze', to.crawlBronze, bronze.output.bronze);
    const silver = task('silver', to.silverTables, { bronze: crawledBronze });
    const gold = task('gold', to.goldTable, { silver: silver.output.silver });
    const upserted = task('upsert', to.warehouse, gold.output.customers);

    task('notify_success', to.tellSuccess, { about: upserted });
    task('notify_failure', to.tellFailure, {}, { triggerRule: 'one_failed' }).after(
      taken,
      crawledRaw,
      spelled,
      bronze,
      crawledBronze,
      silver,
      gold,
      upserted,
    );
  },
);
