import { Command, CommanderError } from 'commander';
import { buildId } from '../workers/build-id.ts';
import { createCli, type Cli } from './cli.ts';
import { addAssets } from './grammar/assets.ts';
import { addBackfill } from './grammar/backfill.ts';
import { addDags } from './grammar/dags.ts';
import { addLake } from './grammar/lake.ts';
import { addPools } from './grammar/pools.ts';
import { addRuns } from './grammar/runs.ts';
import { addTasks } from './grammar/tasks.ts';
import { json, params, skipUnchanged } from './grammar/options.ts';
import { onInterrupt } from './interrupt.ts';
import { printError } from './print-error.ts';

/** Flags of every command. */
interface GlobalFlags {
  readonly config?: string;
  readonly home?: string;
  readonly dags?: string;
  readonly memoryLimit?: string;
  readonly threads?: string;
  readonly logLevel?: string;
  readonly debug?: boolean;
}

const signal = onInterrupt();
const program = new Command('ingot');

function cliOf(flags: GlobalFlags): Cli {
  const { config, home, dags, threads } = flags;
  const named = {
    config,
    home,
    dags,
    threads,
    'memory-limit': flags.memoryLimit,
    'log-level': flags.logLevel,
  };
  return createCli({ flags: named, env: process.env, folder: process.cwd() }, signal);
}

/** Connects a command to its handler, whose module is loaded only when the command is given. */
function action<Given extends unknown[]>(load: () => Promise<(cli: Cli, ...given: Given) => Promise<void>>) {
  // Commander adds the command itself.
  return async (...given: [...Given, Command] | unknown[]): Promise<void> => {
    const handler = await load();
    await handler(cliOf(program.opts<GlobalFlags>()), ...(given.slice(0, -1) as Given));
  };
}

program
  .description('Data-pipeline DAGs for TypeScript, run as Temporal workflows.')
  .version(buildId(process.env))
  .option('--config <file>', 'configuration file (default: ingot.toml of the project)')
  .option('--home <folder>', 'folder of the embedded stack (default: .ingot)')
  .option('--dags <modules>', 'modules of your own that export `dags`, separated by commas')
  .option('--memory-limit <size>', 'memory DuckDB may use, such as 1.5GiB')
  .option('--threads <n>', 'threads of DuckDB')
  .option('--log-level <level>', 'debug, info, warn or error')
  .option('--debug', 'show where in the code an error comes from')
  .showHelpAfterError('(`ingot --help` lists the commands)')
  .configureHelp({ showGlobalOptions: false });

program
  .command('demo')
  .description('generate three days of dirty data, run both pipelines, show what came of it')
  .option('--keep', 'leave the stack running')
  .option('--rows <n>', 'rows per file', '20000')
  .option('--seed <seed>', 'seed of the generated data', '1')
  .action(action(async () => (await import('./commands/demo.ts')).demo));

program
  .command('dev')
  .description('run the stack in the foreground: Temporal, Postgres, worker')
  .option('--detach', 'leave it running in the background')
  .action(action(async () => (await import('./commands/dev.ts')).dev));

program
  .command('down')
  .description('stop the stack that runs in the background')
  .action(action(async () => (await import('./commands/dev.ts')).down));

program
  .command('run <dag>')
  .description('run a DAG for the interval that starts at a date')
  .requiredOption('--date <date>', 'logical date, YYYY-MM-DD or an RFC 3339 instant')
  .option('--input <file>', 'a file of your own in place of the landing folder’s')
  .option(...params)
  .option(...skipUnchanged)
  .option(...json)
  .action(action(async () => (await import('./commands/run.ts')).run));

for (const add of [addRuns, addTasks, addDags, addPools, addBackfill, addAssets]) add(program, action);

program
  .command('query [select]')
  .description('read published tables, written <pipeline>.<table>')
  .option('--named <name>', 'a query that a pipeline brings')
  .option('--connection <name>', 'read that database, such as warehouse, in place of the lake')
  .option('--format <format>', 'table, json or csv', 'table')
  .option('--limit <n>', 'most rows to print', '1000')
  .option('--json', 'the same as --format json')
  .action(action(async () => (await import('./commands/query.ts')).query));

addLake(program, action);

program
  .command('generate <source>')
  .description('write seeded, dirty source files into the landing folder')
  .option('--date <date>', 'first date', '2026-01-01')
  .option('--days <n>', 'number of dates', '1')
  .option('--rows <n>', 'rows per file', '10000')
  .option('--seed <seed>', 'the same seed gives the same files', '1')
  .option('--dirt-share <share>', 'share of rows per kind of dirt, 0 to 1')
  .option('--into <folder>', 'in place of the lake')
  .option(...json)
  .action(action(async () => (await import('./commands/generate.ts')).generate));

program
  .command('migrate')
  .description('bring the ledger’s schema up to date')
  .option(...json)
  .action(action(async () => (await import('./commands/migrate.ts')).migrate));

program
  .command('check')
  .description('compile all DAGs and report every problem')
  .option(...json)
  .action(action(async () => (await import('./commands/check.ts')).check));

program
  .command('doctor')
  .description('say what is found, missing or wrong, and the effective configuration')
  .option('--policy [whose]', 'print the IAM policy that this installation needs: worker, glue or verify')
  .option(...json)
  .action(action(async () => (await import('./commands/doctor.ts')).doctor));

program
  .command('worker')
  .description('run a worker against the servers that are configured')
  .option('--ready-file <file>', 'written once it takes work')
  .option('--drain <seconds>', 'how long attempts may go on after a stop (default: worker.drain_seconds)')
  .option('--queues <queues>', 'queues to take tasks from, separated by commas (default: worker.queues)')
  .action(action(async () => (await import('./commands/worker.ts')).worker));

program
  .command('listen')
  .description('hear of events outside, as of Glue jobs that end, and tell the runs that wait for them')
  .option('--ready-file <file>', 'written once it listens')
  .action(action(async () => (await import('./commands/listen.ts')).listen));

function exitOnClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // The reader has what it wanted, as with `| head`.
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

async function main(): Promise<number> {
  exitOnClosedPipe(process.stdout);
  exitOnClosedPipe(process.stderr);
  for (const command of [program, ...program.commands, ...program.commands.flatMap((each) => each.commands)])
    command.exitOverride();
  try {
    await program.parseAsync();
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return printError(signal.aborted ? signal.reason : error, program.opts<GlobalFlags>().debug === true);
  }
}

process.exitCode = await main();
// Whatever still holds the event loop has nothing to say any more.
process.stdout.write('', () => process.stderr.write('', () => process.exit()));
