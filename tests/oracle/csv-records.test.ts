import { expect, test } from 'vitest';
import { splitCsv, trimmed } from './csv-records.ts';

function split(text: string | Uint8Array) {
  return splitCsv(Buffer.from(text as string)).records.map(({ line, fields, raw }) => [line, fields, raw]);
}

test('records end at LF or CRLF outside of quotes, with or without one at the end of the file', () => {
  expect(split('h\na,b\r\nc,d')).toEqual([
    [2, ['a', 'b'], 'a,b'],
    [3, ['c', 'd'], 'c,d'],
  ]);
  expect(split('h\r\na\r\n')).toEqual([[2, ['a'], 'a']]);
});

test('a quoted field may hold commas, quotes and line ends, and lines are counted through it', () => {
  expect(split('h\n"a\r\nb","c""d,"\ne')).toEqual([
    [2, ['a\r\nb', 'c"d,'], '"a\r\nb","c""d,"'],
    [4, ['e'], 'e'],
  ]);
});

test('a byte order mark is dropped', () => {
  expect(splitCsv(Buffer.from('\uFEFFa,b\n1,2')).header).toEqual(['a', 'b']);
});

test('a quote astray makes the record malformed up to the end of its line', () => {
  expect(split('h\na",b\n"x"y,z\nc,"d')).toEqual([
    [2, null, 'a",b'],
    [3, null, '"x"y,z'],
    [4, null, 'c,"d'],
  ]);
});

test('bytes that are not UTF-8 make the record malformed and show as U+FFFD', () => {
  expect(split(Buffer.concat([Buffer.from('h\na'), Uint8Array.of(0xff), Buffer.from(',b\nc')]))).toEqual([
    [2, null, 'a\uFFFD,b'],
    [3, ['c'], 'c'],
  ]);
});

test('an empty line is a record of one empty field', () => {
  expect(split('h\n\na')).toEqual([
    [2, [''], ''],
    [3, ['a'], 'a'],
  ]);
});

test('white space is trimmed at both ends only', () => expect(trimmed('\u00A0\t a b\r\n')).toBe('a b'));
