import { quarantined, totalReasons } from '../../workers/quarantine.ts';
import type { Cli } from '../cli.ts';
import { dateOf, wholeNumber } from '../arguments.ts';
import { count } from '../format.ts';
import { quarantineTables } from '../lake-tables.ts';
import { withSession } from '../session.ts';
import { textTable } from '../text-table.ts';
import { writeRows } from '../write-rows.ts';

export interface QuarantineFlags {
  readonly date?: string;
  readonly sample: string;
  readonly json?: boolean;
}

export async function lakeQuarantine(cli: Cli, name: string, flags: QuarantineFlags): Promise<void> {
  const date = flags.date === undefined ? undefined : dateOf('--date', flags.date);
  const limit = wholeNumber('--sample', flags.sample);
  await withSession(cli, { temporal: false }, async (session) => {
    const readers = await session.readers();
    const { ledger } = readers;
    const service = await readers.queries();
    for (const table of await quarantineTables(ledger, name)) {
      const counts = await quarantined(ledger, table.name, date ?? null);
      const column = table.partitionBy[0];
      const where = date === undefined || column === undefined ? '' : ` where ${column} = '${date}'`;
      const sample = await service.query(`select * from ${table.name}${where} limit ${limit}`, {
        signal: cli.signal,
      });
      if (flags.json) {
        const rows = [];
        for await (const row of sample.rows)
          rows.push(Object.fromEntries(sample.columns.map((each, index) => [each.name, row[index] ?? null])));
        cli.print(
          JSON.stringify({
            table: table.name,
            partitions: counts,
            reasons: Object.fromEntries(totalReasons(counts)),
            sample: rows,
          }),
        );
        continue;
      }
      cli.print(
        `${table.name}: ${count(counts.reduce((sum, each) => sum + each.rows, 0))} rows${date === undefined ? '' : ` of ${date}`}\n`,
      );
      const reasons = totalReasons(counts).map(([reason, rows]) => [reason, count(rows)]);
      cli.print(`${textTable(['REASON', 'ROWS'], reasons, ['left', 'right'])}\n`);
      await writeRows(sample, 'table');
    }
  });
}
