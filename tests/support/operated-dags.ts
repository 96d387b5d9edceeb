import { dag } from '../../activities/index.ts';
import { TerminalError } from '../../ports/errors.ts';

/** Held when it fails, as its second price does at the first try; waits for a pool, and for a person. */
const invoices = dag(
  'invoices',
  {
    onFailure: 'hold',
    params: {
      limit: { type: 'integer', default: 100 },
      currency: { type: 'string', allowed: ['EUR', 'USD'] },
    },
    defaults: { pool: 'erp' },
  },
  ({ task, map, approval }) => {
    const fetch = task('fetch', (_: undefined, context) => {
      context.log.info('asking the ERP');
      return ['eu', 'us'];
    });
    const price = map('price', fetch, (region: string, { attempt }) => {
      if (region === 'us' && attempt === 1)
        throw new TerminalError({ place: region, expected: 'rates', found: 'none', remedy: 'Ask for them.' });
      return region.length;
    });
    const release = approval('release', { message: 'Send the invoices?' }).after(price);
    task('send', (prices: readonly number[]) => prices.length, price, { outlets: ['invoices.sent'] }).after(
      release,
    );
  },
);

/** Started by what `invoices` emits. */
const told = dag('told', { schedule: { assets: 'invoices.sent' } }, ({ task }) => {
  task('tell', async (_: undefined, context) => (await context.triggeringEvents()).length);
});

export const dags = [invoices, told];
