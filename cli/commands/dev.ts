import { pc } from '../colours.ts';
import { flagsAsEnvironment } from '../../workers/config.ts';
import { runningStack, startInBackground, stopStack } from '../../workers/stack/background.ts';
import type { Cli } from '../cli.ts';
import { devCommand, openStackFor } from '../session.ts';

function describe(cli: Cli, home: string, env: Readonly<Record<string, string | undefined>>): void {
  const line = (name: string, value: string | undefined): void => {
    if (value) cli.print(`  ${pc.dim(name.padEnd(12))} ${value}`);
  };
  line('Temporal UI', env['INGOT_TEMPORAL_UI']);
  line('Temporal', env['TEMPORAL_ADDRESS']);
  for (const name of ['ledger', 'warehouse']) {
    const url = env[`INGOT_${name.toUpperCase()}_URL`];
    if (url) line(name, `${new URL(url).host}${new URL(url).pathname}`);
  }
  line('data', `${home} (stack.json holds the URLs with their passwords)`);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    // A pending promise alone does not keep the process alive.
    const alive = setInterval(() => {}, 3_600_000);
    const stop = (): void => {
      clearInterval(alive);
      resolve();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** The stack in the foreground, until Ctrl-C. */
async function inForeground(cli: Cli): Promise<void> {
  const startedAt = Date.now();
  const { config, env, stack } = await openStackFor(cli, { temporal: true });
  if (stack === null)
    return cli.print(
      'Temporal, ledger and warehouse are configured elsewhere: there is nothing to start here. Run `ingot worker`.',
    );
  try {
    cli.print(
      stack.owned
        ? `The stack is up (${((Date.now() - startedAt) / 1000).toFixed(1)} s).`
        : 'The stack runs already, in another process.',
    );
    describe(cli, config.home, env);
    if (!stack.owned) return;
    cli.print(pc.dim('Ctrl-C stops it.'));
    await untilAborted(cli.signal);
    cli.note('Stopping.');
  } finally {
    await stack.close({ force: true });
  }
  throw cli.signal.reason as Error;
}

/** Starts the stack so that it stays, or finds it running. */
export async function keepStack(cli: Cli): Promise<void> {
  const { home } = cli.config();
  if ((await runningStack(home))?.state === 'ready') return;
  cli.note('Starting the stack in the background.');
  await startInBackground({
    home,
    command: devCommand,
    env: { ...cli.inputs.env, ...flagsAsEnvironment(cli.inputs), INGOT_HOME: home },
    signal: cli.signal,
  });
}

export async function dev(cli: Cli, options: { readonly detach?: boolean }): Promise<void> {
  if (!options.detach) return inForeground(cli);
  await keepStack(cli);
  const { home } = cli.config();
  cli.print('The stack runs in the background; `ingot down` stops it.');
  describe(cli, home, (await runningStack(home))?.env ?? {});
}

export async function down(cli: Cli): Promise<void> {
  const { home } = cli.config();
  cli.print((await stopStack(home, cli.note)) ? 'The stack is down.' : `No stack runs in ${home}.`);
}
