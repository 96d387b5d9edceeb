import { clockBeginsAt } from '../../dag/due.ts';
import { wakeFeed } from '../../workers/asset-feeds.ts';
import { tickNow } from '../../workers/deploy.ts';
import type { Cli } from '../cli.ts';
import { dagNamed } from '../definitions.ts';
import { withSession } from '../session.ts';

async function setPaused(cli: Cli, dagId: string, paused: boolean, json: boolean): Promise<void> {
  await dagNamed(cli, dagId);
  await withSession(cli, { temporal: !paused }, async (session) => {
    const { ledger } = await session.readers();
    const plan = (await ledger.clock(dagId))?.plan ?? null;
    const deployed = plan !== null;
    const changed = paused
      ? await ledger.pause(dagId)
      : await ledger.unpause(dagId, deployed ? clockBeginsAt(plan, Date.now()) : null);
    // What was missed is started at once, not at the next tick.
    const goesOn = !paused && changed && deployed;
    const ticked = goesOn && (await tickNow((await session.temporal()).client, dagId));
    if (goesOn && plan.assets !== undefined) await wakeFeed((await session.temporal()).client, dagId);
    if (json) return cli.print(JSON.stringify({ dagId, paused, changed, deployed, ticked }));
    const state = paused ? 'paused: ticks start nothing, runs under way go on' : 'not paused';
    cli.print(`${dagId} is ${changed ? '' : 'already '}${state}.`);
    if (!paused && !deployed) cli.print('Its schedule is not deployed: `ingot dags deploy`.');
  });
}

export function dagsPause(cli: Cli, dagId: string, options: { readonly json?: boolean }): Promise<void> {
  return setPaused(cli, dagId, true, options.json === true);
}

export function dagsUnpause(cli: Cli, dagId: string, options: { readonly json?: boolean }): Promise<void> {
  return setPaused(cli, dagId, false, options.json === true);
}
