import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { openRealStack } from './real-stack.ts';
import { ChaosRounds } from './round.ts';
import type { RoundResult } from './round.ts';

/** `npm run chaos -- --rounds N --seed S`: kills the stack's programs while it works, and compares what is left with the oracle. */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    rows: { type: 'string', default: '2000' },
    kills: { type: 'string', default: '6' },
    within: { type: 'string', default: '2500' },
  },
});
const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new Error('interrupted')));
process.once('SIGTERM', () => stop.abort(new Error('terminated')));

console.log(
  `seed ${values.seed}: ${values.rounds} rounds, ${values.rows} rows per file, ${values.kills} kills per round`,
);
const results: RoundResult[] = [];
await using stack = await openRealStack({ env: { INGOT_LOG_LEVEL: 'warn' }, signal: stop.signal });
const rounds = new ChaosRounds(stack, values.seed, Number(values.rows));
for (let round = 1; round <= Number(values.rounds) && !stop.signal.aborted; round++) {
  const result = await rounds.next({ count: Number(values.kills), withinMs: Number(values.within) });
  results.push(result);
  const { kills, problems, elapsedMs } = result;
  console.log(
    `round ${round}: ${(elapsedMs / 1000).toFixed(0)} s, killed ${Object.entries(kills)
      .map(([name, count]) => `${name} ${count}×`)
      .join(', ')}: ${problems.length === 0 ? 'as the oracle says' : `${problems.length} problems`}`,
  );
  for (const problem of problems.slice(0, 20)) console.log(`  ${problem}`);
}

const total = (count: (result: RoundResult) => number): string =>
  results.reduce((sum, result) => sum + count(result), 0).toLocaleString('en');
const table = new Table({
  head: ['rounds', 'runs', 'rows', 'Worker', 'Temporal', 'Postgres', 'problems'],
  style: { head: [], border: [] },
});
table.push([
  results.length,
  total(({ runs }) => runs),
  total(({ rows }) => rows),
  total(({ kills }) => kills.Worker),
  total(({ kills }) => kills.Temporal),
  total(({ kills }) => kills.Postgres),
  total(({ problems }) => problems.length),
]);
console.log(table.toString());
process.exitCode =
  results.some(({ problems }) => problems.length > 0) || results.length < Number(values.rounds) ? 1 : 0;
