import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { openBenchOn, type Bench } from './test-bench.ts';

export { dag } from './parts.ts';
export { day, type Bench } from './test-bench.ts';

export function openBench(): Promise<Bench> {
  return openBenchOn({ postgresUrl: inject('postgresUrl'), temporalAddress: inject('temporalAddress') });
}

export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'ingot-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
