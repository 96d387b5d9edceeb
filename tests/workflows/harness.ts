import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { claimDags } from '../support/claimed-dags.ts';
import { openBenchOn, type Bench } from './test-bench.ts';

export { dag } from './parts.ts';
export { day, type Bench } from './test-bench.ts';

export async function openBench(): Promise<Bench> {
  const postgresUrl = inject('postgresUrl');
  const bench = await openBenchOn({ postgresUrl, temporalAddress: inject('temporalAddress') });
  const claim = (ids: readonly string[]) => claimDags(postgresUrl, expect.getState().testPath!, ids);
  return {
    ...bench,
    work: async (dags, ...rest) => {
      await claim(dags.map(({ id }) => id));
      return bench.work(dags, ...rest);
    },
    // Of a DAG that only a worker process knows, too.
    start: async (dagId, options) => {
      await claim([dagId]);
      return bench.start(dagId, options);
    },
  };
}

export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'ingot-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
