import { pc } from '../colours.ts';
import type { CatalogChange } from '../../ports/catalog.ts';
import type { Publication } from '../../ports/ledger.ts';
import { vacuum } from '../../workers/vacuum.ts';
import { vacuumLogs } from '../../workers/vacuum-logs.ts';
import type { Cli } from '../cli.ts';
import { wholeNumber } from '../arguments.ts';
import { bytes, count, instant, short } from '../format.ts';
import { tableNamed } from '../lake-tables.ts';
import { withSession } from '../session.ts';
import { textTable } from '../text-table.ts';

interface JsonFlag {
  readonly json?: boolean;
}

export async function lakeTables(cli: Cli, options: JsonFlag): Promise<void> {
  await withSession(cli, { temporal: false }, async (session) => {
    const tables = await (await session.readers()).ledger.tables();
    if (options.json) return cli.print(JSON.stringify(tables));
    if (tables.length === 0) return cli.print('No tables yet. `ingot demo` fills some.');
    const rows = tables.map((table) => [
      table.name,
      table.zone,
      count(table.partitions),
      count(table.rows),
      bytes(table.bytes),
      instant(table.updatedAt),
    ]);
    cli.print(
      textTable(['TABLE', 'ZONE', 'PARTITIONS', 'ROWS', 'SIZE', 'UPDATED'], rows, [
        'left',
        'left',
        'right',
        'right',
        'right',
      ]),
    );
  });
}

/** At most three, so that a publication over hundreds of partitions stays readable. */
function some(texts: readonly string[]): string {
  return texts.length <= 3
    ? texts.join(', ')
    : `${texts.slice(0, 3).join(', ')} and ${texts.length - 3} more`;
}

function historyEntry(publication: Publication, table: string): string[] {
  const outputs = publication.outputs.filter((output) => output.table === table);
  const rows = outputs.reduce((sum, output) => sum + output.rows, 0);
  const partitions = outputs.map((output) => Object.values(output.partition).join('/') || '(whole)');
  const inputs = publication.inputs.map(
    ({ table: name, partition, version }) =>
      `${name}${partition === '' ? '' : `/${partition}`}${version === null ? ' (absent)' : `@${version}`}`,
  );
  const facts = [
    `run ${publication.runId}`,
    `attempt ${publication.attempt}`,
    `plan ${short(publication.planHash)}`,
    publication.sqlHash === null ? null : `sql ${short(publication.sqlHash)}`,
    publication.contractHash === null ? null : `contract ${short(publication.contractHash)}`,
    publication.engine === null || publication.engineReason === null
      ? publication.engine
      : `${publication.engine} (${publication.engineReason})`,
    `build ${publication.build}`,
  ].filter((fact) => fact !== null);
  const verdict = publication.verdict === 'pass' ? pc.green('pass') : pc.yellow('warn');
  return [
    `${pc.bold(String(publication.id))}  ${instant(publication.publishedAt)}  ${publication.workflowId}  ${publication.taskId}  ${count(rows)} rows  ${verdict}`,
    `   ${some(partitions)}`,
    pc.dim(`   ${facts.join('  ')}`),
    ...(inputs.length === 0 ? [] : [pc.dim(`   from ${some(inputs)}`)]),
  ];
}

export async function lakeHistory(
  cli: Cli,
  name: string,
  flags: JsonFlag & { readonly partition?: string; readonly limit: string },
): Promise<void> {
  await withSession(cli, { temporal: false }, async (session) => {
    const { ledger } = await session.readers();
    const table = await tableNamed(ledger, name);
    const publications = await ledger.history({
      table: table.name,
      limit: wholeNumber('--limit', flags.limit),
      ...(flags.partition === undefined ? {} : { partition: flags.partition }),
    });
    if (flags.json) return cli.print(JSON.stringify(publications));
    if (publications.length === 0)
      return cli.print(
        `Nothing of ${table.name} has been published${flags.partition === undefined ? '' : ` for ${flags.partition}`}.`,
      );
    for (const publication of publications)
      for (const line of historyEntry(publication, table.name)) cli.print(line);
  });
}

const verbs = {
  create: ['Created', 'Would create'],
  update: ['Updated', 'Would update'],
  remove: ['Removed', 'Would remove'],
} as const;

function changeLine({ table, partition, action, version }: CatalogChange, dryRun: boolean): string {
  const what = partition === null ? table : `${table}/${partition}`;
  return `${verbs[action][dryRun ? 1 : 0]} ${what}${version === null ? '' : ` at version ${version}`}`;
}

export async function lakeSync(
  cli: Cli,
  flags: JsonFlag & { readonly dryRun?: boolean; readonly table?: string },
): Promise<void> {
  await withSession(cli, { temporal: false }, async (session) => {
    const { ledger, catalog } = await session.readers();
    const dryRun = flags.dryRun === true;
    const tables = flags.table === undefined ? undefined : [(await tableNamed(ledger, flags.table)).name];
    const changes = (await catalog?.sync(tables, { signal: cli.signal, dryRun })) ?? [];
    if (flags.json) return cli.print(JSON.stringify({ dryRun, catalog: catalog?.name ?? null, changes }));
    if (catalog === undefined)
      return cli.print(
        'The ledger itself is the catalog of the embedded engine: there is nothing to bring in line.',
      );
    for (const change of changes) cli.print(changeLine(change, dryRun));
    if (changes.length === 0) cli.print(`The catalog ${catalog.name} shows what the ledger has.`);
  });
}

export async function lakeVacuum(
  cli: Cli,
  flags: JsonFlag & { readonly dryRun?: boolean; readonly olderThanHours?: string },
): Promise<void> {
  await withSession(cli, { temporal: false }, async (session) => {
    const { ledger, objects, catalog } = await session.readers();
    const hours =
      flags.olderThanHours === undefined
        ? session.config.versionHours
        : wholeNumber('--older-than-hours', flags.olderThanHours);
    const { logDays, eventDays } = session.config;
    const common = { ledger, objects, dryRun: flags.dryRun === true, now: Date.now() };
    // Files that the catalog still shows must not go.
    if (catalog !== undefined && !common.dryRun)
      await catalog.sync(await ledger.behind(catalog.name), { signal: cli.signal });
    const result = await vacuum({ ...common, olderThanMs: hours * 3_600_000 });
    const logs = await vacuumLogs({ ...common, olderThanMs: logDays * 86_400_000 });
    const eventsBefore = new Date(common.now - eventDays * 86_400_000).toISOString();
    const assetEvents = await ledger.forgetAssetEvents(eventsBefore, common);
    if (flags.json) return cli.print(JSON.stringify({ dryRun: common.dryRun, ...result, logs, assetEvents }));
    const files = result.versionFiles.length + result.orphans.length;
    const verb = flags.dryRun ? 'Would remove' : 'Removed';
    cli.print(
      `${verb} ${count(result.versions)} versions and ${count(files)} files (${bytes(result.bytes)}) that nothing older than ${hours} h needs.`,
    );
    if (logs.files > 0)
      cli.print(
        `${verb} ${count(logs.files)} files (${bytes(logs.bytes)}) of task logs older than ${logDays} days.`,
      );
    if (assetEvents > 0)
      cli.print(`${verb} ${count(assetEvents)} events of assets older than ${eventDays} days.`);
  });
}
