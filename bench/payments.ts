import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { generatePayments } from '../pipelines/payments/generator.ts';
import { runResult } from '../workers/client.ts';
import { openRealStack } from '../tests/chaos/real-stack.ts';
import type { RealStack } from '../tests/chaos/real-stack.ts';
import type { ByHandOptions } from './data/run-by-hand.ts';

/**
 * One day of payments from raw CSV to gold: the product's worker beside a DuckDB script written by hand, in one run, with the same
 * memory limit and threads; and a tenth of the rows, to see how time grows.
 */
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000000' },
    memory: { type: 'string', default: '1536' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
  },
});
const rows = Number(values.rows);
const rates = join(import.meta.dirname, '../pipelines/payments/rates.csv');
const gib = 1024 ** 3;

interface Measured {
  readonly elapsedMs: number;
  readonly peakBytes: number;
  /** Time on all processors together: what a busy machine disturbs least. */
  readonly cpuMs: number;
}

/** From the start of `ingest` to the publication of `gold`. */
async function byProduct(stack: RealStack, date: string): Promise<Measured> {
  const pid = await stack.pid('Worker');
  const cpuBefore = await cpuOf(pid);
  const run = await stack.start('payments', date);
  const result = await runResult(stack.client, run);
  if (result.state !== 'success') throw new Error(`The run of ${date}: ${result.message}`);
  const attempts = await stack.ledger.attempts(run.runId);
  const published = await stack.ledger.history({ runId: run.runId });
  const at = (text: string | null | undefined): number => Date.parse(text!);
  const start = at(attempts.find(({ taskId }) => taskId === 'ingest')!.startedAt);
  const end = at(published.find(({ taskId }) => taskId === 'gold')!.publishedAt);
  const tasks = attempts
    .filter(({ startedAt, endedAt }) => startedAt !== null && endedAt !== null)
    .map(
      ({ taskId, startedAt, endedAt }) => `${taskId} ${((at(endedAt) - at(startedAt)) / 1000).toFixed(2)}`,
    );
  console.log(`  tasks of ${date}, in seconds: ${tasks.join(', ')}`);
  return { elapsedMs: end - start, peakBytes: await peakOf(pid), cpuMs: (await cpuOf(pid)) - cpuBefore };
}

/** The most memory a process ever had, as the kernel counted; NaN where it does not say. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

async function cpuOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  const ticksPerSecond = 100;
  return ((Number(user) + Number(system)) * 1000) / ticksPerSecond;
}

async function byHand(options: ByHandOptions): Promise<Measured> {
  const script = join(import.meta.dirname, 'data', 'by-hand-process.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(options)]);
  return JSON.parse(stdout) as Measured;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function verdict(value: number, limit: number): string {
  return `(at most ${limit}: ${Number.isNaN(value) ? 'not measured' : value <= limit ? 'yes' : 'NO'})`;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

const env = {
  INGOT_MEMORY_LIMIT: `${values.memory} MiB`,
  INGOT_THREADS: values.threads,
  INGOT_LOG_LEVEL: 'warn',
};
await using stack = await openRealStack({ env, say: console.error });

async function deliver(date: string, count: number): Promise<string> {
  const [file] = await generatePayments({ seed: 'bench', rows: count, dates: [date], into: stack.lake });
  return file!.paths[0]!;
}

/** Days far enough apart that none looks at another. */
let day = Date.UTC(2026, 0, 1);
function nextDate(): string {
  day += 60 * 86_400_000;
  return new Date(day).toISOString().slice(0, 10);
}

/** What was written before must not be flushed to the disk at the expense of who is measured. */
async function flushed(): Promise<void> {
  await promisify(execFile)('sync');
}

async function round(count: number): Promise<{ product: Measured; hand: Measured }> {
  const date = nextDate();
  const input = await deliver(date, count);
  const output = join(stack.home, `by-hand-${date}`);
  await flushed();
  const hand = await byHand({
    input,
    ingestDate: date,
    rates,
    output,
    memoryLimit: `${values.memory}MiB`,
    threads: Number(values.threads),
  });
  // Its pages are given back, so that both write into memory the system has at hand.
  await rm(output, { recursive: true });
  await flushed();
  const product = await byProduct(stack, date);
  console.log(
    `  ${count.toLocaleString('en')} rows: product ${seconds(product.elapsedMs)}, by hand ${seconds(hand.elapsedMs)}, ratio ${(product.elapsedMs / hand.elapsedMs).toFixed(2)}`,
  );
  return { product, hand };
}

await round(2_000);
const [small, large] = [[], []] as [
  { product: Measured; hand: Measured }[],
  { product: Measured; hand: Measured }[],
];
for (let index = 0; index < Number(values.rounds); index++) {
  small.push(await round(Math.round(rows / 10)));
  large.push(await round(rows));
}

const ratio = median(large.map(({ product, hand }) => product.elapsedMs / hand.elapsedMs));
const growth = median(large.map(({ product }, index) => product.elapsedMs / small[index]!.product.elapsedMs));
const peak = Math.max(...large.map(({ product }) => product.peakBytes)) / gib;
const handPeak = Math.max(...large.map(({ hand }) => hand.peakBytes)) / gib;
const named = `payments, ${rows.toLocaleString('en')} rows, raw CSV to gold`;
console.log(
  `${named}: product ${seconds(median(large.map(({ product }) => product.elapsedMs)))}, by hand ${seconds(median(large.map(({ hand }) => hand.elapsedMs)))}, ratio ${ratio.toFixed(2)} ${verdict(ratio, 1.3)}`,
);
const cpu = median(large.map(({ product, hand }) => product.cpuMs / hand.cpuMs));
console.log(
  `${named}: processor time of the worker ${seconds(median(large.map(({ product }) => product.cpuMs)))}, by hand ${seconds(median(large.map(({ hand }) => hand.cpuMs)))}, ratio ${cpu.toFixed(2)}`,
);
console.log(
  `${named}: peak memory of the worker ${peak.toFixed(2)} GiB ${verdict(peak, 2.5)}, by hand ${handPeak.toFixed(2)} GiB, DuckDB's limit ${(Number(values.memory) / 1024).toFixed(2)} GiB`,
);
console.log(`${named}: ${growth.toFixed(1)} times the time of a tenth of the rows ${verdict(growth, 11)}`);
