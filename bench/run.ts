import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';

/** Runs every bench of this folder, one after another, and prints what they measured as one table. `--quick` takes a minute or two. */
const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});

const quick: Readonly<Record<string, readonly string[]>> = {
  interpreter: ['--rounds', '2'],
  upsert: ['--rows', '100000', '--rounds', '1'],
  payments: ['--rows', '500000', '--rounds', '1'],
  'csv-import': ['--rows', '500000'],
  backfill: ['--days', '100'],
  reducer: ['--tasks', '2000', '--items', '4000'],
  scale: ['--tasks', '1000', '--items', '2000'],
  schedules: ['--dags', '20', '--seconds', '10', '--minutes', '1'],
};

interface Measure {
  readonly bench: string;
  readonly line: string;
}

async function runBench(bench: string): Promise<Measure[]> {
  console.log(`\n${bench}`);
  const args = values.quick ? (quick[bench] ?? []) : [];
  const child = spawn(process.execPath, [join(import.meta.dirname, `${bench}.ts`), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8');
  for await (const chunk of child.stdout as AsyncIterable<string>) {
    text += chunk;
    process.stdout.write(chunk);
  }
  const code = await new Promise<number | null>((resolve) =>
    child.exitCode === null ? child.once('exit', resolve) : resolve(child.exitCode),
  );
  if (code !== 0) failed.push(bench);
  // Benches print their progress indented and their results at the margin.
  return text
    .split('\n')
    .filter((line) => /^\S/.test(line))
    .map((line) => ({ bench, line }));
}

const present = (await readdir(import.meta.dirname))
  .filter((name) => name.endsWith('.ts') && name !== 'run.ts')
  .map((name) => name.slice(0, -3));
const chosen = positionals.length === 0 ? present : positionals;
const unknown = chosen.filter((name) => !present.includes(name));
if (unknown.length > 0)
  throw new Error(`No bench called ${unknown.join(', ')}. There are: ${present.join(', ')}.`);

const failed: string[] = [];
const measures: Measure[] = [];
for (const bench of chosen) measures.push(...(await runBench(bench)));

const table = new Table({
  head: ['bench', 'measured'],
  style: { head: [], border: [] },
  colWidths: [14, 110],
  wordWrap: true,
});
for (const { bench, line } of measures) table.push([bench, line]);
console.log(`\n${table.toString()}`);
if (failed.length > 0) console.log(`Did not end well: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
