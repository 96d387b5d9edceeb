import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../dag/json.ts';
import type { Json } from '../../dag/json.ts';
import { partitionText, partitionValues } from '../../dag/relation.ts';

test('the text of a partition gives its values back, whatever they contain', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), fc.string({ unit: 'grapheme' })),
      (values) => {
        const table = { name: 'p.t', partitionBy: Object.keys(values) };
        const text = partitionText(table, values);
        expect(text.split('/')).toHaveLength(Math.max(1, table.partitionBy.length));
        expect(partitionValues(text)).toEqual({ ...values });
      },
    ),
  );
});

test('a partition without a value for one of its columns has no text', () => {
  const table = { name: 'payments.bronze', partitionBy: ['ingest_date', 'txn_date'] };
  expect(partitionText(table, { txn_date: '2026-01-01', ingest_date: '2026-01-02' })).toBe(
    'ingest_date=2026-01-02/txn_date=2026-01-01',
  );
  expect(() => partitionText(table, { ingest_date: '2026-01-02' })).toThrow('needs a value for txn_date');
});

/** The same value with the keys of every object in the opposite order. */
function turned(value: Json): Json {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(turned);
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, turned(item as Json)]),
  );
}

test('canonical JSON means the value, not the order in which it was written down', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = JSON.parse(JSON.stringify(value)) as Json;
      expect(canonicalJson(turned(json))).toBe(canonicalJson(json));
      expect(JSON.parse(canonicalJson(json))).toEqual(json);
    }),
  );
});
