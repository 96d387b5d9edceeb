import { parseArgs } from 'node:util';
import { loadConfig } from '../workers/config.ts';
import type { Outcome } from '../workers/verification/outcome.ts';
import { verifyAccount } from '../workers/verification/verify.ts';

const help = `npm run verify:aws -- [options]

Does in your AWS account what Ingot does, below a prefix and under names of its own, says what it found, and takes it away again.

  --only <services>  s3, duckdb, glue, catalog, crawler, athena, sns, events, metrics, secrets, databases
  --topic <name>     topic that gets a test notification
  --keep             leave what was made
  --config <file>    configuration (default: ingot.toml of the project)
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    topic: { type: 'string' },
    keep: { type: 'boolean' },
    config: { type: 'string' },
    help: { type: 'boolean' },
  },
});

const marks = { shown: '✓', failed: '✗', skipped: '–' } as const;

function line({ service, what, state, expected, found, remedy }: Outcome): string {
  const begin = `${marks[state]} ${service}: ${what}`;
  if (state !== 'failed') return `${begin}: ${found}`;
  const then = remedy === null ? '' : `. ${remedy}`;
  return `${begin}: expected ${expected}; found ${found.replaceAll('\n', ' ')}${then}`;
}

async function main(): Promise<number> {
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  const flags = values.config === undefined ? {} : { config: values.config };
  const config = loadConfig({ flags, env: process.env, folder: process.cwd() });
  const counts = { shown: 0, failed: 0, skipped: 0 };
  const isAsExpected = await verifyAccount(config, process.env, {
    only: (values.only ?? '').split(',').filter((name) => name !== ''),
    keep: values.keep === true,
    ...(values.topic === undefined ? {} : { topic: values.topic }),
    tell: (outcome) => {
      counts[outcome.state] += 1;
      process.stdout.write(`${line(outcome)}\n`);
    },
  });
  process.stdout.write(`\n${counts.shown} as expected, ${counts.failed} not, ${counts.skipped} not tried.\n`);
  return isAsExpected ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
