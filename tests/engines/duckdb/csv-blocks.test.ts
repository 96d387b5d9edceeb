import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvBlocks } from '../../../engines/duckdb/csv-blocks.ts';
import { countLineFeeds } from '../../../engines/duckdb/line-feeds.ts';
import { placeholder } from '../../../engines/duckdb/csv-triggers.ts';
import { splitCsv } from '../../oracle/csv-records.ts';

const tokens = [
  '"',
  '""',
  ',',
  '\n',
  '\r\n',
  '\r',
  '\0',
  '\x01',
  '\x02',
  '\x1e',
  '\x1f',
  'é',
  'x,y\n',
  'x,y\r\n',
  '"q\n",y\n',
  'x,"q"',
  '"q","q"\r',
  '"q"\r\n',
].map((text) => Buffer.from(text));
const bytes = fc
  .array(fc.constantFrom(...tokens, Buffer.of(0xff), Buffer.of(0xc3)), { maxLength: 80 })
  .map((parts) => Buffer.concat(parts));

type Row = readonly [line: number, fields: readonly string[] | null, raw: string | null];

/** What the SQL makes of a block, said again in a few lines. */
function rowsOf(block: Awaited<ReturnType<ReturnType<typeof csvBlocks>['next']>>['value']): Row[] {
  const unescaped = (text: string) =>
    block.odd.escaped
      ? text.replaceAll('\x02f', '\x1f').replaceAll('\x02e', '\x1e').replaceAll('\x02b', '\x02')
      : text;
  const mark = String.fromCharCode(placeholder);
  const plain = block.plain
    .toString()
    .split('\n')
    .flatMap((text: string, at: number): Row[] => {
      if (text === mark) return [];
      const line = text.endsWith('\r') ? text.slice(0, -1) : text;
      const fields = line.split(',');
      return [[block.firstLine + at, fields.length === 2 ? fields : null, fields.length === 2 ? null : line]];
    });
  const odd = block.odd.count === 0 ? [] : block.odd.bytes.toString().split('\x1e');
  return [
    ...plain,
    ...odd.map((text: string): Row => {
      const [line, malformed, ...rest] = text.split('\x1f');
      return malformed === '1'
        ? [Number(line), null, unescaped(rest[0]!)]
        : [Number(line), rest.map(unescaped), null];
    }),
  ];
}

test('wherever blocks and chunks are cut, every record is in exactly one block, with its line', async () => {
  await fc.assert(
    fc.asyncProperty(
      bytes,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      async (body, blockBytes, chunkBytes) => {
        const chunks = async function* () {
          for (let at = 0; at < body.length; at += chunkBytes) yield body.subarray(at, at + chunkBytes);
        };
        const found: Row[] = [];
        for await (const block of csvBlocks(chunks(), { blockBytes, fields: 2, firstLine: 2 })) {
          const rows = rowsOf(block);
          expect(rows).toHaveLength(block.records);
          found.push(...rows);
        }
        const wanted = splitCsv(Buffer.concat([Buffer.from('a,b\n'), body])).records.map(
          ({ line, fields, raw }): Row => {
            const good = fields?.length === 2 && !raw.includes('\0');
            return good ? [line, fields, null] : [line, null, raw.replaceAll('\0', '\uFFFD')];
          },
        );
        expect(found.toSorted(([a], [b]) => a - b)).toEqual(wanted);
      },
    ),
    { numRuns: 3000 },
  );
});

test('line feeds are counted in any stretch of any buffer, also in one that holds nothing else', () => {
  const byte = fc.oneof(fc.constant(10), fc.constantFrom(9, 11, 0x8a, 0, 255), fc.nat(255));
  const stretch = fc.oneof(
    fc.uint8Array({ maxLength: 50 }),
    fc.array(byte, { maxLength: 50 }).map((list) => Uint8Array.from(list)),
    fc.constant(new Uint8Array(5000).fill(10)),
  );
  fc.assert(
    fc.property(stretch, fc.nat(5), fc.nat(5), (content, before, after) => {
      const whole = Buffer.concat([Buffer.alloc(before, 10), content, Buffer.alloc(after, 10)]);
      const from = before;
      const to = before + content.length;
      expect(countLineFeeds(whole, from, to)).toBe(content.filter((one) => one === 10).length);
    }),
    { numRuns: 2000 },
  );
});
