import { expect, test } from 'vitest';
import { TextColumns, textTable } from '../../cli/text-table.ts';

test('columns are as wide as their widest cell, wide characters and line breaks included', () => {
  const table = textTable(
    ['ID', 'NAME', 'SUM'],
    [
      ['1', '梓玥 唐', '5'],
      ['22', 'two\nlines', '1,000'],
    ],
    ['left', 'left', 'right'],
  );
  expect(table.split('\n').slice(1)).toEqual(['1   梓玥 唐        5', '22  two lines  1,000']);
});

test('a cell wider than the rows that decided pushes its line out and loses nothing', () => {
  const columns = new TextColumns(['A', 'B'], [['x', 'y']]);
  expect(columns.line(['much wider', 'y'])).toBe('much wider  y');
});

test('fifty thousand rows take no longer than they should', () => {
  const rows = Array.from({ length: 50_000 }, (_, index) => [String(index), 'text', 'more text']);
  expect(textTable(['A', 'B', 'C'], rows).split('\n')).toHaveLength(50_001);
});
