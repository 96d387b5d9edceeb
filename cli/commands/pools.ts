import { pc } from '../colours.ts';
import { maxPoolSlots, poolNameProblem } from '../../dag/names.ts';
import type { Ledger } from '../../ports/ledger.ts';
import type { PoolLease, PoolRecord } from '../../ports/pools.ts';
import { nearest } from '../../workers/config/nearest.ts';
import { wholeNumber } from '../arguments.ts';
import { UsageError, type Cli } from '../cli.ts';
import { count, elapsed, instant } from '../format.ts';
import { withSession } from '../session.ts';
import { textTable } from '../text-table.ts';

interface JsonFlag {
  readonly json?: boolean;
}

function withLedger(cli: Cli, work: (ledger: Ledger) => Promise<void>): Promise<void> {
  return withSession(cli, { temporal: false }, async (session) => work((await session.readers()).ledger));
}

function slotsText({ slots }: PoolRecord): string {
  return slots === null ? pc.yellow('none') : count(slots);
}

export async function poolsList(cli: Cli, { json = false }: JsonFlag): Promise<void> {
  await withLedger(cli, async (ledger) => {
    const pools = await ledger.pools();
    if (json) return cli.print(JSON.stringify(pools));
    if (pools.length === 0) return cli.print('No pools. Create one with `ingot pools set <name> <slots>`.');
    const rows = pools.map((pool) => [
      pool.name,
      slotsText(pool),
      count(pool.held),
      count(pool.waiting),
      pool.slots === null ? `does not exist: \`ingot pools set ${pool.name} 1\`` : (pool.description ?? ''),
    ]);
    cli.print(textTable(['POOL', 'SLOTS', 'HELD', 'WAITING', ''], rows, ['left', 'right', 'right', 'right']));
  });
}

async function poolNamed(ledger: Ledger, name: string): Promise<PoolRecord> {
  const pools = await ledger.pools();
  const found = pools.find((pool) => pool.name === name);
  if (found !== undefined) return found;
  const meant = nearest(
    name,
    pools.map((pool) => pool.name),
  );
  const remedy = meant.length > 0 ? `Did you mean ${meant.join(' or ')}?` : '`ingot pools list` shows them.';
  throw new UsageError(`expected a pool; found ${name}. ${remedy}`);
}

function leaseRow({ task, workflowId, slots, priority, askedAt, grantedAt }: PoolLease): string[] {
  const since = grantedAt ?? askedAt;
  return [
    grantedAt === null ? pc.yellow('waits') : pc.cyan('holds'),
    String(slots),
    String(priority),
    task,
    workflowId,
    instant(since),
    elapsed(since, null),
  ];
}

export async function poolsShow(cli: Cli, name: string, { json = false }: JsonFlag): Promise<void> {
  await withLedger(cli, async (ledger) => {
    const pool = await poolNamed(ledger, name);
    const leases = await ledger.poolLeases(name);
    if (json) return cli.print(JSON.stringify({ pool, leases }));
    const size = pool.slots === null ? 'does not exist yet' : `${pool.held} of ${pool.slots} slots held`;
    cli.print(`${pc.bold(name)}  ${size}, ${pool.waiting} waiting`);
    if (pool.description !== null) cli.print(pool.description);
    if (pool.slots === null)
      cli.print(`Create it with \`ingot pools set ${name} <slots>\`: who waits goes on by itself.`);
    if (leases.length === 0) return;
    const heads = ['', 'SLOTS', 'PRIORITY', 'TASK', 'RUN', 'SINCE', ''];
    cli.print(`\n${textTable(heads, leases.map(leaseRow), ['left', 'right', 'right'])}`);
  });
}

const said = { created: 'was created', changed: 'was changed', unchanged: 'is as it was' } as const;

export async function poolsSet(
  cli: Cli,
  name: string,
  slotsText: string,
  flags: JsonFlag & { readonly description?: string },
): Promise<void> {
  const wrong = poolNameProblem('name', name);
  if (wrong !== null) throw new UsageError(wrong.message);
  const slots = wholeNumber('slots', slotsText);
  if (slots > maxPoolSlots)
    throw new UsageError(`expected slots from 0 to ${maxPoolSlots}; found ${slotsText}.`);
  await withLedger(cli, async (ledger) => {
    const outcome = await ledger.setPool(name, slots, flags.description);
    const pool = await poolNamed(ledger, name);
    if (flags.json) return cli.print(JSON.stringify({ outcome, pool }));
    cli.print(
      `${name} ${said[outcome]}: ${count(slots)} ${slots === 1 ? 'slot' : 'slots'}, ${pool.held} held, ${pool.waiting} waiting.`,
    );
    if (pool.held > slots)
      cli.print('Nobody loses slots: nothing is granted until enough of them are given back.');
    else if (slots === 0) cli.print('It is closed: who asks waits until it has slots.');
  });
}

export async function poolsDelete(cli: Cli, name: string, { json = false }: JsonFlag): Promise<void> {
  await withLedger(cli, async (ledger) => {
    await poolNamed(ledger, name);
    await ledger.deletePool(name);
    cli.print(json ? JSON.stringify({ deleted: name }) : `${name} was deleted.`);
  });
}
