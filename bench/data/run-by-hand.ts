import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

export interface ByHandOptions {
  readonly input: string;
  readonly ingestDate: string;
  readonly rates: string;
  /** Folder for the results and for spilling; must not hold earlier results. */
  readonly output: string;
  readonly memoryLimit: string;
  readonly threads: number;
}

/** Runs `payments-by-hand.sql` in this process; gives the milliseconds it took. */
export async function runByHand(options: ByHandOptions): Promise<number> {
  const script = await readFile(join(import.meta.dirname, 'payments-by-hand.sql'), 'utf8');
  const values: Record<string, string> = {
    input: options.input,
    output: options.output,
    rates: options.rates,
    ingest_date: options.ingestDate,
  };
  const sql = script.replaceAll(/:(input|output|rates|ingest_date)\b/g, (_, name: string) => values[name]!);
  await mkdir(options.output, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: options.memoryLimit,
    threads: String(options.threads),
    temp_directory: join(options.output, 'spill'),
    preserve_insertion_order: 'false',
  });
  const connection = await instance.connect();
  try {
    await connection.run("set timezone = 'UTC'");
    const startedAt = performance.now();
    await connection.run(sql);
    return performance.now() - startedAt;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
