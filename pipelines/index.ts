import { payments } from './payments/pipeline.ts';

/** The DAGs a worker runs. */
export const dags = [payments];

/** Queries by the name `ingot query --named` takes. */
export const namedQueries: Readonly<Record<string, string>> = {};
