import type { RunnableDag } from '../activities/boundary.ts';
import { nearest } from '../workers/config/nearest.ts';
import { loadDefinitions } from '../workers/definitions.ts';
import { UsageError, type Cli } from './cli.ts';

export async function dagNamed(cli: Cli, dagId: string): Promise<RunnableDag> {
  const definitions = await loadDefinitions(cli.config().dags);
  const found = definitions.get(dagId);
  if (found !== undefined) return found;
  const known = [...definitions.keys()];
  const meant = nearest(dagId, known);
  throw new UsageError(
    `expected the id of a DAG (${known.join(', ')}); found ${dagId}.${meant.length > 0 ? ` Did you mean ${meant.join(' or ')}?` : ''}`,
  );
}
