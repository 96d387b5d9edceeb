import { Command, CommanderError } from 'commander';
import { buildId } from '../workers/build-id.ts';
import { createCli, type Cli } from './cli.ts';
import { addTaskCommands } from './commands/tasks.ts';
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

const json = ['--json', 'print JSON'] as const;
const skipUnchanged = [
  '--skip-unchanged',
  'leave partitions alone that are made of the same as when they were published',
] as const;

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
  .option(
    '--param <name=value>',
    'a parameter of the DAG; may be repeated',
    (value, all: string[]) => [...all, value],
    [],
  )
  .option(...skipUnchanged)
  .option(...json)
  .action(action(async () => (await import('./commands/run.ts')).run));

const runs = program.command('runs').description('runs that were and are');
runs
  .command('list', { isDefault: true })
  .option('--dag <dag>')
  .option('--state <state>', 'queued, running, held, success, failed or cancelled')
  .option('--limit <n>', 'newest first', '30')
  .option(...json)
  .action(action(async () => (await import('./commands/runs.ts')).runsList));
runs
  .command('show <run>')
  .description('a run by its id or its workflow id')
  .option(...json)
  .action(action(async () => (await import('./commands/runs.ts')).runsShow));
runs
  .command('explain <run> [task]')
  .description('why a run, or a task of it, is not running, or how it ended')
  .option(...json)
  .action(action(async () => (await import('./commands/explain.ts')).runsExplain));
runs
  .command('cancel <run>')
  .option(...json)
  .action(action(async () => (await import('./commands/runs.ts')).runsCancel));

addTaskCommands(program, action);

const dags = program.command('dags').description('the DAGs this code defines');
dags
  .command('list', { isDefault: true })
  .option(...json)
  .action(action(async () => (await import('./commands/dags.ts')).dagsList));
dags
  .command('show <dag>')
  .description('its graph, schedule and parameters')
  .option(...json)
  .action(action(async () => (await import('./commands/dags.ts')).dagsShow));

dags
  .command('deploy')
  .description('bring the schedules in Temporal in line with the DAGs')
  .option('--prune', 'remove schedules of DAGs that are not defined any more')
  .option('--dry-run', 'show what would change')
  .option(...json)
  .action(action(async () => (await import('./commands/deploy.ts')).dagsDeploy));
dags
  .command('pause <dag>')
  .description('let ticks of its schedule start nothing; survives deploys')
  .option(...json)
  .action(action(async () => (await import('./commands/pause.ts')).dagsPause));
dags
  .command('unpause <dag>')
  .description('let its schedule start runs again; with catchup, those it missed')
  .option(...json)
  .action(action(async () => (await import('./commands/pause.ts')).dagsUnpause));
dags
  .command('trigger <dag>')
  .description('start a run and return at once (`ingot run` waits for it)')
  .requiredOption('--date <date>', 'logical date, YYYY-MM-DD or an RFC 3339 instant')
  .option(
    '--param <name=value>',
    'a parameter of the DAG; may be repeated',
    (value, all: string[]) => [...all, value],
    [],
  )
  .option(...json)
  .action(action(async () => (await import('./commands/trigger.ts')).dagsTrigger));

const pools = program.command('pools').description('slots that tasks share across runs and DAGs');
pools
  .command('list', { isDefault: true })
  .option(...json)
  .action(action(async () => (await import('./commands/pools.ts')).poolsList));
pools
  .command('show <name>')
  .description('who holds its slots, and who waits, in order')
  .option(...json)
  .action(action(async () => (await import('./commands/pools.ts')).poolsShow));
pools
  .command('set <name> <slots>')
  .description('create a pool, or change its size; 0 closes it')
  .option('--description <text>')
  .option(...json)
  .action(action(async () => (await import('./commands/pools.ts')).poolsSet));
pools
  .command('delete <name>')
  .description('delete a pool that nobody holds or waits for')
  .option(...json)
  .action(action(async () => (await import('./commands/pools.ts')).poolsDelete));

const backfill = program.command('backfill').description('runs for the intervals of a date range');
backfill
  .command('create <dag>')
  .description('run a DAG for every interval that starts within a date range')
  .requiredOption('--from <date>', 'first logical date, YYYY-MM-DD or an RFC 3339 instant')
  .requiredOption('--to <date>', 'last one, included')
  .option('--reprocess <policy>', 'intervals to run again: none, failed or completed', 'none')
  .option('--max-active-runs <n>', 'runs at a time, whatever the DAG’s own limit (default: 10)')
  .option('--backwards', 'newest interval first')
  .option('--params <json>', 'parameters of every run, as a JSON object')
  .option(...skipUnchanged)
  .option('--dry-run', 'say what would happen to each interval, and why')
  .option('--detach', 'do not follow it')
  .option(...json)
  .action(action(async () => (await import('./commands/backfill-create.ts')).backfillCreate));
backfill
  .command('list', { isDefault: true })
  .option('--dag <dag>')
  .option('--open', 'only those that have not ended')
  .option('--limit <n>', 'newest first', '30')
  .option(...json)
  .action(action(async () => (await import('./commands/backfill.ts')).backfillList));
backfill
  .command('show <backfill>')
  .description('by its id, its workflow id or its DAG (the latest); follows one that is under way')
  .option(...json)
  .action(action(async () => (await import('./commands/backfill.ts')).backfillShow));
backfill
  .command('pause <backfill>')
  .description('start no new run; those under way go on')
  .option(...json)
  .action(action(async () => (await import('./commands/backfill.ts')).backfillPause));
backfill
  .command('resume <backfill>')
  .option(...json)
  .action(action(async () => (await import('./commands/backfill.ts')).backfillResume));
backfill
  .command('cancel <backfill>')
  .description('end it, and its runs')
  .option(...json)
  .action(action(async () => (await import('./commands/backfill.ts')).backfillCancel));

const assets = program.command('assets').description('what DAGs wait for: tables, and names that tasks emit');
assets
  .command('list', { isDefault: true })
  .option(...json)
  .action(action(async () => (await import('./commands/assets.ts')).assetsList));
assets
  .command('show <asset>')
  .description('who makes it, whom it starts, and how far behind they are')
  .option(...json)
  .action(action(async () => (await import('./commands/assets.ts')).assetsShow));
assets
  .command('events <asset>')
  .option('--limit <n>', 'newest first', '20')
  .option(...json)
  .action(action(async () => (await import('./commands/assets.ts')).assetsEvents));
assets
  .command('emit <asset>')
  .description('an event of a named asset, by hand')
  .option('--date <date>', 'the logical date it belongs to (default: now)')
  .option('--key <key>', 'the same key again is no new event')
  .option(...json)
  .action(action(async () => (await import('./commands/assets.ts')).assetsEmit));

program
  .command('query [select]')
  .description('read published tables, written <pipeline>.<table>')
  .option('--named <name>', 'a query that a pipeline brings')
  .option('--connection <name>', 'read that database, such as warehouse, in place of the lake')
  .option('--format <format>', 'table, json or csv', 'table')
  .option('--limit <n>', 'most rows to print', '1000')
  .option('--json', 'the same as --format json')
  .action(action(async () => (await import('./commands/query.ts')).query));

const lake = program.command('lake').description('tables, their versions, and what was quarantined');
lake
  .command('tables', { isDefault: true })
  .option(...json)
  .action(action(async () => (await import('./commands/lake.ts')).lakeTables));
lake
  .command('history <table>')
  .description('who published each version, from what, with which code')
  .option('--partition <partition>', 'such as ingest_date=2026-01-01')
  .option('--limit <n>', 'newest first', '20')
  .option(...json)
  .action(action(async () => (await import('./commands/lake.ts')).lakeHistory));
lake
  .command('quarantine <pipeline>')
  .description('rows that broke a rule, by reason')
  .option('--date <date>', 'of one date only')
  .option('--sample <n>', 'rows to show', '5')
  .option(...json)
  .action(action(async () => (await import('./commands/quarantine.ts')).lakeQuarantine));
lake
  .command('vacuum')
  .description('remove versions and files nobody can need any more')
  .option('--dry-run', 'say what would be removed')
  .option('--older-than-hours <n>', 'leave younger ones to their readers (default: retention.version_hours)')
  .option(...json)
  .action(action(async () => (await import('./commands/lake.ts')).lakeVacuum));

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
  .option(...json)
  .action(action(async () => (await import('./commands/doctor.ts')).doctor));

program
  .command('worker')
  .description('run a worker against the servers that are configured')
  .option('--ready-file <file>', 'written once it takes work')
  .option('--drain <seconds>', 'how long attempts may go on after a stop (default: worker.drain_seconds)')
  .option('--queues <queues>', 'queues to take tasks from, separated by commas (default: worker.queues)')
  .action(action(async () => (await import('./commands/worker.ts')).worker));

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
