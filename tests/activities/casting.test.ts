import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import { cast, trimmed } from '../../activities/casting.ts';
import type { ColumnType } from '../../dag/relation.ts';

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

async function evaluate(expression: string, text: string): Promise<unknown> {
  const result = await connection.runAndReadAll(
    `select cast(${expression} as varchar) from (select $1::varchar as t)`,
    [text],
  );
  return result.getRows()[0]![0];
}

const casts: readonly (readonly [ColumnType, Readonly<Record<string, string | null>>])[] = [
  [
    'decimal(18,2)',
    {
      '12.30': '12.30',
      '-7': '-7.00',
      '007.5': '7.50',
      '-0': '0.00',
      '1.234': null,
      '1e3': null,
      '1,234.50': null,
      '+1': null,
      '.5': null,
      '1.': null,
      '': null,
      NaN: null,
      '١٢': null,
      '99999999999999999': null,
      '1_000': null,
    },
  ],
  [
    'int',
    { '7': '7', '-2147483648': '-2147483648', '2147483648': null, '7.0': null, '': null, '0x10': null },
  ],
  ['date', { '2024-02-29': '2024-02-29', '2023-02-29': null, '2024-2-9': null, infinity: null }],
  ['boolean', { true: 'true', FALSE: 'false', '1': null }],
  ['double', { '1e3': '1000.0', inf: null }],
  [
    'timestamp',
    {
      '2026-01-02T03:04:05Z': '2026-01-02 03:04:05',
      '2026-01-02 03:04:05': '2026-01-02 03:04:05',
      '2026-01-02T03:04:05.123456789Z': '2026-01-02 03:04:05.123456',
      '2026-01-02T03:04:05.5': '2026-01-02 03:04:05.5',
      '2026-01-02T03:04:05+02:00': '2026-01-02 01:04:05',
      '2026-01-02T03:04:05-0330': '2026-01-02 06:34:05',
      '2026-01-02 03:04:05.25+23:59': '2026-01-01 03:05:05.25',
      '2026-01-01T00:30:00+01:00': '2025-12-31 23:30:00',
      '2024-02-29T00:00:00-00:00': '2024-02-29 00:00:00',
      '2023-02-29T00:00:00Z': null,
      '2026-01-02T24:00:00Z': null,
      '2026-01-02T03:04:60Z': null,
      '2026-01-02T03:04Z': null,
      '2026-01-02T03:04:05+24:00': null,
      '2026-01-02T03:04:05+02': null,
      '2026-01-02T03:04:05z': null,
      '2026-01-02t03:04:05Z': null,
      '2026-01-02  03:04:05': null,
      '2026-1-2T03:04:05Z': null,
      '2026-01-02': null,
      '٢٠٢٦-01-02T03:04:05Z': null,
      '2026-01-02T03:04:05Z\n': null,
      infinity: null,
      '': null,
    },
  ],
];

describe.each(casts)('text as %s', (type, values) => {
  test.each(Object.entries(values))('%j is %j', async (text, expected) => {
    expect(await evaluate(cast('t', type), text)).toBe(expected);
  });
});

test('trimming knows every white space of Unicode, and nothing else', async () => {
  const spaces = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).filter((character) =>
    /\p{White_Space}/u.test(character),
  );
  expect(spaces.length).toBe(25);
  const around = spaces.join('');
  expect(await evaluate(trimmed('t'), `${around}a${around}b${around}`)).toBe(`a${around}b`);
  expect(await evaluate(trimmed('t'), '\u200Ba\uFEFF')).toBe('\u200Ba\uFEFF');
});
