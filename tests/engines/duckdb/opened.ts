import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDuckDbSqlEngine } from '../../../engines/duckdb/sql-engine.ts';
import { openFilesystemObjectStore } from '../../../engines/filesystem/object-store.ts';

/** A DuckDB engine over an empty folder, gone when disposed. */
export async function openedEngine({ memoryLimitBytes = 1 << 30, maxFileBytes = 512 << 20 } = {}) {
  const root = await mkdtemp(join(tmpdir(), 'ingot-duckdb-'));
  const [lake, spillFolder] = [join(root, 'lake'), join(root, 'spill')];
  const objects = await openFilesystemObjectStore(lake);
  const engine = await openDuckDbSqlEngine({
    objects,
    memoryLimitBytes,
    maxFileBytes,
    spillFolder,
    threads: 2,
  });
  return {
    engine,
    objects,
    lake,
    spillFolder,
    async [Symbol.asyncDispose]() {
      await engine.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
