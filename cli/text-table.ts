import stringWidth from 'string-width';
import { pc } from './colours.ts';

export type Align = 'left' | 'right';

type Row = readonly string[];

const gap = '  ';

/** Lays rows out under the widths of the heads and of the rows it was made with; a later cell that is wider pushes its line out. */
export class TextColumns {
  readonly #heads: Row;
  readonly #widths: readonly number[];
  readonly #align: readonly Align[];

  constructor(heads: Row, rows: readonly Row[], align: readonly Align[] = []) {
    this.#heads = heads;
    this.#align = align;
    const widths = heads.map((head) => widthOf(head));
    for (const row of rows)
      for (const [index, cell] of row.entries())
        widths[index] = Math.max(widths[index] ?? 0, widthOf(oneLine(cell)));
    this.#widths = widths;
  }

  get head(): string {
    return this.line(this.#heads.map((head) => pc.dim(head)));
  }

  line(row: Row): string {
    return row
      .map((cell, index) => this.#padded(oneLine(cell), index))
      .join(gap)
      .trimEnd();
  }

  #padded(cell: string, index: number): string {
    const padding = ' '.repeat(Math.max(0, (this.#widths[index] ?? 0) - widthOf(cell)));
    return this.#align[index] === 'right' ? padding + cell : cell + padding;
  }
}

/** Most cells are plain text, whose width is its length: looking for what else there may be costs ten times as much. */
function widthOf(cell: string): number {
  return /^[ -~]*$/.test(cell) ? cell.length : stringWidth(cell);
}

function oneLine(cell: string): string {
  return /[\r\n]/.test(cell) ? cell.replaceAll(/\s*[\r\n]\s*/g, ' ') : cell;
}

/** Columns side by side, without lines, for people and for `awk`. */
export function textTable(heads: Row, rows: readonly Row[], align: readonly Align[] = []): string {
  const columns = new TextColumns(heads, rows, align);
  return [columns.head, ...rows.map((row) => columns.line(row))].join('\n');
}
