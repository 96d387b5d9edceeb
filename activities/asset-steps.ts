import { dueEvents, intervalOfEvent } from '../dag/assets.ts';
import type { WaitingEvents } from '../dag/assets.ts';
import { runWorkflowId } from '../dag/interval.ts';
import type { Plan } from '../dag/plan.ts';
import type { AssetSteps, DueAssetRuns, DueAssetsRequest } from '../ports/assets.ts';
import type { Ledger } from '../ports/ledger.ts';
import { step } from './run-steps.ts';
import { activeRuns } from './schedule-steps.ts';

/** Events read at once, and how many of those chunks one look takes. */
const chunk = 500;
const chunksPerLook = 20;

/** Puts every unread event under the interval it asks for; true when there may be more. */
async function readEvents(ledger: Ledger, plan: Plan): Promise<boolean> {
  for (let round = 0; round < chunksPerLook; round += 1) {
    const events = await ledger.unreadEvents(plan.dagId, chunk);
    if (events.length === 0) return false;
    await ledger.deliverEvents(
      plan.dagId,
      events.map((event) => ({
        asset: event.asset,
        position: event.position,
        interval: intervalOfEvent(plan, event),
      })),
    );
    if (events.length < chunk) return false;
  }
  return true;
}

async function openIntervals(
  ledger: Ledger,
  dagId: string,
  waiting: readonly WaitingEvents[],
  started: readonly string[],
): Promise<(interval: WaitingEvents) => boolean> {
  const idOf = (interval: { readonly end: string }): string => runWorkflowId(dagId, interval);
  const latest = await ledger.latestRunStates(waiting.map(idOf));
  return (interval) => latest.get(idOf(interval)) === 'running' || started.includes(idOf(interval));
}

async function runsOf(
  ledger: Ledger,
  plan: Plan,
  { dagId, started }: DueAssetsRequest,
): Promise<DueAssetRuns> {
  const { assets } = plan;
  if (assets === undefined) return { state: 'not_deployed' };
  const unread = await readEvents(ledger, plan);
  const idOf = (interval: { readonly end: string }): string => runWorkflowId(dagId, interval);
  // Given their events before, by an execution that ended before it could start them.
  const unbegun = (await ledger.unbegunAssetRuns(dagId)).filter(
    ({ interval }) => !started.includes(idOf(interval)),
  );
  const active = await activeRuns(ledger, dagId, started);
  const waiting = await ledger.waitingEvents(dagId);
  const isOpen = await openIntervals(ledger, dagId, waiting, [
    ...started,
    ...unbegun.map(({ interval }) => idOf(interval)),
  ]);
  const room = plan.maxActiveRuns - active.length - unbegun.length;
  const { due, held } = dueEvents(assets, waiting, isOpen, room);
  const runs = [...unbegun];
  for (const { start, end } of due) {
    const taken = await ledger.takeEvents(dagId, { start, end });
    if (taken !== null) runs.push(taken);
  }
  return {
    state: 'in_force',
    runs: runs.map(({ number, interval }) => ({ number, interval })),
    more: unread || held.length > 0,
  };
}

async function dueAssetRuns(ledger: Ledger, request: DueAssetsRequest): Promise<DueAssetRuns> {
  const clock = await ledger.clock(request.dagId);
  if (clock === null || clock.plan === null) return { state: 'not_deployed' };
  if (clock.paused) return { state: 'paused' };
  return runsOf(ledger, clock.plan, request);
}

/** What an asset feed asks of the ledger. Each may be repeated. */
export function createAssetSteps(ledger: Ledger): AssetSteps {
  return { 'ingot.dueAssetRuns': (request) => step(() => dueAssetRuns(ledger, request)) };
}
