import { randomUUID } from 'node:crypto';
import { assetProblem, assetsIn, conditionText } from '../../dag/assets.ts';
import { instantOfText } from '../../dag/interval.ts';
import type { Plan } from '../../dag/plan.ts';
import type { AssetCursor, AssetEvent, AssetLog } from '../../ports/assets.ts';
import { assetsOfTask, wakeFeed } from '../../workers/asset-feeds.ts';
import { loadDefinitions } from '../../workers/definitions.ts';
import { wholeNumber } from '../arguments.ts';
import { UsageError, type Cli } from '../cli.ts';
import { pc } from '../colours.ts';
import { count, instant } from '../format.ts';
import { withSession } from '../session.ts';
import { textTable } from '../text-table.ts';

interface JsonFlag {
  readonly json?: boolean;
}

/** An asset, who makes it and who waits for it. */
interface Asset {
  readonly asset: string;
  /** `<dag>.<task>` */
  readonly producers: readonly string[];
  /** `<dag>.<task>` that reads it. */
  readonly readers: readonly string[];
  readonly consumers: readonly Consumer[];
  readonly lastEvent: AssetEvent | null;
}

/** A DAG that its events start. */
interface Consumer {
  readonly dagId: string;
  readonly waitsFor: string | null;
  readonly deployed: boolean;
  readonly paused: boolean;
  readonly unread: number;
  readonly waiting: number;
}

interface Known {
  readonly plans: readonly Plan[];
  readonly events: readonly AssetEvent[];
  readonly cursors: readonly AssetCursor[];
  readonly paused: ReadonlySet<string>;
}

function tasksWith(plans: readonly Plan[], asset: string, what: 'reads' | 'writes'): readonly string[] {
  return plans.flatMap(({ dagId, tasks }) =>
    tasks.filter((task) => assetsOfTask(task)[what].includes(asset)).map(({ id }) => `${dagId}.${id}`),
  );
}

function consumersOf({ plans, cursors, paused }: Known, asset: string): readonly Consumer[] {
  const declared = plans.filter(({ assets }) => assets !== undefined && assetsIn(assets).includes(asset));
  const ids = new Set([
    ...declared.map(({ dagId }) => dagId),
    ...cursors.filter((each) => each.asset === asset).map(({ dagId }) => dagId),
  ]);
  return [...ids].sort().map((dagId) => {
    const cursor = cursors.find((each) => each.asset === asset && each.dagId === dagId);
    const assets = plans.find((plan) => plan.dagId === dagId)?.assets;
    return {
      dagId,
      waitsFor: assets === undefined ? null : conditionText(assets),
      deployed: cursor !== undefined,
      paused: paused.has(dagId),
      unread: cursor?.unread ?? 0,
      waiting: cursor?.waiting ?? 0,
    };
  });
}

function assetOf(known: Known, asset: string): Asset {
  return {
    asset,
    producers: tasksWith(known.plans, asset, 'writes'),
    readers: tasksWith(known.plans, asset, 'reads'),
    consumers: consumersOf(known, asset),
    lastEvent: known.events.find((event) => event.asset === asset) ?? null,
  };
}

function allAssets(known: Known): readonly Asset[] {
  const names = new Set([
    ...known.plans.flatMap(({ tasks, assets }) => [
      ...tasks.flatMap((task) => Object.values(assetsOfTask(task)).flat()),
      ...(assets === undefined ? [] : assetsIn(assets)),
    ]),
    ...known.events.map(({ asset }) => asset),
  ]);
  return [...names].sort().map((name) => assetOf(known, name));
}

async function read(
  cli: Cli,
  ledger: AssetLog & { clocks(): Promise<readonly { dagId: string; paused: boolean }[]> },
): Promise<Known> {
  const definitions = await loadDefinitions(cli.config().dags);
  const [events, cursors, clocks] = await Promise.all([
    ledger.assets(),
    ledger.assetCursors(),
    ledger.clocks(),
  ]);
  return {
    plans: [...definitions.values()].map(({ plan }) => plan),
    events,
    cursors,
    paused: new Set(clocks.filter((clock) => clock.paused).map(({ dagId }) => dagId)),
  };
}

function behindText({ deployed, paused, unread, waiting }: Consumer): string {
  if (!deployed) return 'not deployed';
  const parts = [
    ...(unread > 0 ? [`${count(unread)} unread`] : []),
    ...(waiting > 0 ? [`${count(waiting)} waiting for a run`] : []),
  ];
  const behind = parts.length === 0 ? 'up to date' : parts.join(', ');
  return paused ? `${behind} ${pc.yellow('(paused)')}` : behind;
}

export async function assetsList(cli: Cli, options: JsonFlag): Promise<void> {
  await withSession(cli, { temporal: false }, async (session) => {
    const assets = allAssets(await read(cli, (await session.readers()).ledger));
    if (options.json) return cli.print(JSON.stringify(assets));
    const rows = assets.map(({ asset, producers, consumers, lastEvent }) => [
      asset,
      lastEvent === null ? '' : count(lastEvent.position),
      instant(lastEvent?.at ?? null),
      producers.join(', '),
      consumers.map(({ dagId }) => dagId).join(', '),
    ]);
    cli.print(textTable(['ASSET', 'EVENTS', 'LAST EVENT', 'MADE BY', 'STARTS'], rows, ['left', 'right']));
  });
}

function causeText({ runId, payload }: AssetEvent): string {
  return runId === null ? 'by hand' : `${payload['task'] as string} of run ${runId}`;
}

export async function assetsShow(cli: Cli, asset: string, options: JsonFlag): Promise<void> {
  await withSession(cli, { temporal: false }, async (session) => {
    const known = await read(cli, (await session.readers()).ledger);
    const found = allAssets(known).find((each) => each.asset === asset);
    if (found === undefined) throw unknownAsset(asset, allAssets(known));
    if (options.json) return cli.print(JSON.stringify(found));
    const { producers, readers, consumers, lastEvent } = found;
    cli.print(
      `${pc.bold(asset)}  ${lastEvent === null ? 'no event yet' : `${count(lastEvent.position)} ${lastEvent.position === 1 ? 'event' : 'events'}, the last ${instant(lastEvent.at)}, ${causeText(lastEvent)}`}`,
    );
    cli.print(`made by: ${producers.join(', ') || 'no task of this code'}`);
    if (readers.length > 0) cli.print(`read by: ${readers.join(', ')}`);
    if (consumers.length === 0) return cli.print('It starts no DAG.');
    const rows = consumers.map((each) => [each.dagId, each.waitsFor ?? '', behindText(each)]);
    cli.print(`\n${textTable(['STARTS', 'WHICH WAITS FOR', 'BEHIND'], rows)}`);
  });
}

function unknownAsset(asset: string, all: readonly Asset[]): UsageError {
  const names = all.map((each) => each.asset);
  return new UsageError(
    `expected an asset; found ${asset}. ${names.length === 0 ? 'There are none.' : `There are ${names.slice(0, 20).join(', ')}${names.length > 20 ? ' and more' : ''}.`}`,
  );
}

export async function assetsEvents(
  cli: Cli,
  asset: string,
  options: JsonFlag & { readonly limit: string },
): Promise<void> {
  await withSession(cli, { temporal: false }, async (session) => {
    const { ledger } = await session.readers();
    const events = await ledger.assetEvents(asset, wholeNumber('--limit', options.limit));
    if (options.json) return cli.print(JSON.stringify(events));
    if (events.length === 0) return cli.print(`${asset} has no events.`);
    const rows = events.map((event) => [
      String(event.position),
      instant(event.at),
      event.logicalDate === null ? '' : event.logicalDate.replace('T00:00:00Z', ''),
      event.dagId ?? '',
      causeText(event),
    ]);
    cli.print(textTable(['EVENT', 'AT', 'LOGICAL DATE', 'DAG', 'CAUSE'], rows, ['right']));
  });
}

export interface EmitFlags extends JsonFlag {
  readonly date?: string;
  readonly key?: string;
}

export async function assetsEmit(cli: Cli, asset: string, flags: EmitFlags): Promise<void> {
  const wrong = assetProblem('asset', asset);
  if (wrong !== null) throw new UsageError(wrong.message);
  const at = flags.date === undefined ? null : instantOfText(flags.date, 'UTC');
  if (flags.date !== undefined && at === null)
    throw new UsageError(`--date: expected YYYY-MM-DD or an RFC 3339 instant; found ${flags.date}.`);
  await withSession(cli, { temporal: true }, async (session) => {
    const { ledger } = await session.readers();
    if ((await ledger.tables()).some(({ name }) => name === asset))
      throw new UsageError(
        `expected an asset that is not a table; found ${asset}. Its events are its publications: run the DAG that writes it.`,
      );
    const event = await ledger.emitAsset({
      asset,
      key: flags.key ?? randomUUID(),
      at: new Date().toISOString(),
      logicalDate: at === null ? null : new Date(at).toISOString(),
      payload: {},
    });
    const { client } = await session.temporal();
    const woken: string[] = [];
    for (const dagId of await ledger.assetFollowers([asset]))
      if (await wakeFeed(client, dagId)) woken.push(dagId);
    if (flags.json) return cli.print(JSON.stringify({ event, woken }));
    cli.print(
      `Event ${event.position} of ${asset}${woken.length === 0 ? '; no deployed DAG waits for it' : ` told to ${woken.join(', ')}`}.`,
    );
  });
}
