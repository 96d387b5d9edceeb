import { describe, expect } from 'vitest';
import { TerminalError } from '../../../ports/errors.ts';
import type { WarehouseTable } from '../../../ports/warehouse.ts';
import type { ConformanceTest } from '../conformance.ts';
import { csv, kpiLoad, kpiRows, kpis, rowsOf } from './fixture.ts';
import type { OpenWarehouse, Row } from './fixture.ts';

const day = '2026-01-01';
const short: Row[] = [
  ['a', day, '1', 'first'],
  ['b', day, null, null],
];

const everyType: WarehouseTable = {
  name: 'every_type',
  columns: [
    { name: 'key', type: 'bigint', nullable: false },
    { name: 'text', type: 'text', nullable: true },
    { name: 'boolean', type: 'boolean', nullable: true },
    { name: 'int', type: 'int', nullable: true },
    { name: 'double', type: 'double', nullable: true },
    { name: 'decimal', type: 'decimal(38,10)', nullable: true },
    { name: 'date', type: 'date', nullable: true },
    { name: 'timestamp', type: 'timestamp', nullable: true },
    { name: 'texts', type: 'text[]', nullable: true },
    { name: 'select "all"', type: 'text', nullable: true },
  ],
  primaryKey: ['key'],
  indexes: [],
};

export function valueCases(test: ConformanceTest, open: OpenWarehouse): void {
  describe('values and tables', () => {
    test('text arrives as it was sent: quotes, commas, line breaks, scripts, empty and null', async () => {
      await using fixture = await open();
      const texts = [
        '',
        null,
        '"',
        'a,b',
        'two\nlines',
        'cr\r\nlf',
        '\\N',
        '\\.',
        "o'clock",
        '  spaces  ',
        '日本 ﷽ 🛒',
        'NULL',
      ];
      const rows = texts.map((text, index): Row => [`m${String(index).padStart(2, '0')}`, day, null, text]);
      await fixture.warehouse.replaceSlice(kpiLoad(day, 1, rows));
      expect((await kpiRows(fixture.warehouse)).map((row) => row[3])).toEqual(texts);
    });

    test('decimals keep every digit', async () => {
      await using fixture = await open();
      const amounts = [
        '12345678901234567890.123456789012345678',
        '-0.000000000000000001',
        '9007199254740993.1',
      ];
      const rows = amounts.map((amount, index): Row => [`m${index}`, day, amount, null]);
      await fixture.warehouse.replaceSlice(kpiLoad(day, 1, rows));
      expect((await kpiRows(fixture.warehouse)).map((row) => row[2])).toEqual([
        '12345678901234567890.123456789012345678',
        '-0.000000000000000001',
        '9007199254740993.100000000000000000',
      ]);
    });

    test('every type has its column, and instants are instants', async () => {
      await using fixture = await open();
      const values = [
        '9007199254740993',
        'x',
        'true',
        '-2147483648',
        '0.1',
        '1.5',
        '2026-02-28',
        '2026-01-01T01:00:00.123456+02:00',
        '{a,"b c",NULL}',
        'y',
      ];
      await fixture.warehouse.replaceSlice({
        target: everyType,
        staging: null,
        slice: { column: 'key', value: values[0]! },
        publication: 1,
        columns: everyType.columns.map((column) => column.name),
        rows: csv([values]),
      });
      const [row] = await rowsOf(
        fixture.warehouse,
        `select key, text, boolean::text, int, double, decimal, date,
                to_char(timestamp at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), texts, "select ""all"""
           from every_type`,
      );
      expect(row).toEqual([
        '9007199254740993',
        'x',
        'true',
        '-2147483648',
        '0.1',
        '1.5000000000',
        '2026-02-28',
        '2025-12-31T23:00:00.123456',
        '{a,"b c",NULL}',
        'y',
      ]);
    });

    test('a declared column the table lacks is added', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      await warehouse.replaceSlice(kpiLoad(day, 1, short));
      const target = {
        ...kpis,
        columns: [...kpis.columns, { name: 'visits', type: 'int' as const, nullable: false }],
      };
      const columns = target.columns.map((column) => column.name);
      await warehouse.replaceSlice(
        kpiLoad('2026-01-02', 2, [['a', '2026-01-02', '2', null, '7']], { target, columns }),
      );
      expect(await rowsOf(warehouse, 'select visits from merchant_kpis order by day, merchant')).toEqual([
        [null],
        [null],
        ['7'],
      ]);
      await warehouse.replaceSlice(kpiLoad(day, 3, short));
    });

    test('a column of another type is refused with both types, and nothing is loaded', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      await warehouse.replaceSlice(kpiLoad(day, 1, short));
      const columns = kpis.columns.map((column) =>
        column.name === 'gross' ? { ...column, type: 'double' as const } : column,
      );
      const refused = warehouse.replaceSlice(kpiLoad(day, 2, [], { target: { ...kpis, columns } }));
      await expect(refused).rejects.toThrow(TerminalError);
      await expect(refused).rejects.toThrow(/gross.*double precision.*numeric\(38,18\)/);
      expect(await kpiRows(warehouse)).toHaveLength(2);
    });

    test('a table without the key its loads rely on is refused', async () => {
      await using fixture = await open();
      await fixture.sql(
        'create table merchant_kpis (merchant text, day date, gross numeric(38,18), note text)',
      );
      await expect(fixture.warehouse.replaceSlice(kpiLoad(day, 1, short))).rejects.toThrow(/merchant, day/);
    });

    test('a value that does not fit its column is named with its line, and nothing is loaded', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      await warehouse.replaceSlice(kpiLoad(day, 1, short));
      const refused = warehouse.replaceSlice(
        kpiLoad(day, 2, [
          ['a', day, '1', null],
          ['b', day, 'many', null],
        ]),
      );
      await expect(refused).rejects.toThrow(TerminalError);
      await expect(refused).rejects.toThrow(/line 2.*gross.*many/);
      expect(await kpiRows(warehouse)).toHaveLength(2);
    });

    test('rows that repeat a key, lie outside of the slice or lack a key are refused', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      const wrong: Row[][] = [
        [
          ['a', day, '1', null],
          ['a', day, '2', null],
        ],
        [['a', '2026-01-02', '1', null]],
        [[null, day, '1', null]],
      ];
      for (const rows of wrong)
        await expect(warehouse.replaceSlice(kpiLoad(day, 1, rows))).rejects.toThrow(TerminalError);
      const columns = ['merchant', 'gross'];
      await expect(warehouse.replaceSlice(kpiLoad(day, 1, [['a', '1']], { columns }))).rejects.toThrow(/day/);
      await expect(
        warehouse.replaceSlice(kpiLoad(day, 1, short, { columns: [...columns, 'nope'] })),
      ).rejects.toThrow(/nope/);
    });

    test('a key too long for the index is refused, with the way to find it', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      await warehouse.replaceSlice(kpiLoad(day, 1, short));
      const key = Array.from({ length: 900 }, (_, index) => (index ** 7 % 99991).toString(36)).join('-');
      await expect(warehouse.replaceSlice(kpiLoad(day, 2, [[key, day, '1', null]]))).rejects.toThrow(
        /merchant_kpis.*length\(<key>\)/s,
      );
      expect(await kpiRows(warehouse)).toHaveLength(2);
    });

    test('queries answer text, stop at the limit and cannot write', async () => {
      await using fixture = await open();
      const { warehouse } = fixture;
      await warehouse.replaceSlice(kpiLoad(day, 1, short));
      expect(
        await warehouse.query('select merchant, gross, 1 = 1 as yes from merchant_kpis order by 1;', {
          limit: 1,
        }),
      ).toEqual({
        columns: ['merchant', 'gross', 'yes'],
        rows: [['a', '1.000000000000000000', 't']],
      });
      expect(await warehouse.query('select note as empty from merchant_kpis where false')).toEqual({
        columns: ['empty'],
        rows: [],
      });
      const refused = [
        'delete from merchant_kpis',
        'select 1; drop table merchant_kpis',
        'select * from nowhere',
        'with d as (delete from merchant_kpis returning 1) select * from d',
        "select nextval('nothing')",
        '',
      ];
      for (const sql of refused) await expect(warehouse.query(sql)).rejects.toThrow(TerminalError);
      expect(await kpiRows(warehouse)).toHaveLength(2);
    });
  });
}
