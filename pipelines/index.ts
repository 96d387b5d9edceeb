import { readFileSync } from 'node:fs';
import { customerPurchases } from './customer_purchases/pipeline.ts';
import { payments } from './payments/pipeline.ts';

/** The DAGs a worker runs. */
export const dags = [payments, customerPurchases];

export interface NamedQuery {
  readonly description: string;
  /** Where it is answered: over the lake's published tables, or by the warehouse connection of that name. */
  readonly on: 'lake' | { readonly warehouse: string };
  readonly sql: string;
}

function query(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8').trim();
}

/** Queries by the name `ingot query --named` takes. */
export const namedQueries: Readonly<Record<string, NamedQuery>> = {
  top_customers: {
    description: 'The five customers who spent most, in AUD, over all days.',
    on: { warehouse: 'warehouse' },
    sql: query('customer_purchases/queries/top_customers.sql'),
  },
};
