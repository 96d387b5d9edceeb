import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPostgresServer } from '../../workers/stack/postgres-server.ts';
import { resolveTemporalBinary } from '../../workers/stack/temporal-binary.ts';
import { openTemporalServer } from '../../workers/stack/temporal-server.ts';
import { historyText } from './history-file.ts';
import { runShape, shapes } from './shapes.ts';
import { openBenchOn } from './test-bench.ts';

/** Records the histories of a release: `node tests/workflows/record-histories.ts <release> [shape …]`. Recorded ones are never changed. */
const [release, ...wanted] = process.argv.slice(2);
if (release === undefined) throw new Error('expected the release the histories are of, for example 0.1');
const target = join(import.meta.dirname, 'histories', release);
await mkdir(target, { recursive: true });

const folder = await mkdtemp(join(tmpdir(), 'ingot-histories-'));
await chmod(folder, 0o755);
const binary = await resolveTemporalBinary({ env: process.env, progress: (line) => console.error(line) });
const postgres = await openPostgresServer({ folder: join(folder, 'postgres'), durable: false });
const temporal = await openTemporalServer({
  binary: binary.path,
  folder: join(folder, 'temporal'),
  ui: false,
  retentionDays: 1,
});
try {
  for (const shape of shapes) {
    if (wanted.length > 0 && !wanted.includes(shape.name)) continue;
    await using bench = await openBenchOn({
      postgresUrl: postgres.url('postgres'),
      temporalAddress: temporal.address,
    });
    const { workflowId, runId } = await runShape(bench, shape);
    const history = await bench.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const path = join(target, `${shape.name}.json`);
    await writeFile(path, historyText(history));
    console.log(`${path}: ${history.events?.length ?? 0} events`);
  }
} finally {
  await Promise.all([postgres.close(), temporal.close()]);
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);
