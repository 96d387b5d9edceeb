import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TaskSelect } from '../dag/builder.ts';
import { TerminalError } from '../ports/errors.ts';
import type { InlineRelation } from '../ports/sql-engine.ts';
import type { Column, ColumnType } from '../dag/relation.ts';

export type NamedSql = TaskSelect;

/** A select kept in a `.sql` file beside the pipeline. Throws TerminalError when it cannot be read. */
export function sqlFile(folder: URL, name: string): NamedSql {
  const url = new URL(`${name}.sql`, folder);
  const text = readText(url);
  const line = (/^\s*/.exec(text)?.[0] ?? '').split('\n').length;
  return { name, sql: text.trim().replace(/;$/, ''), file: { url: url.href, line } };
}

function readText(url: URL): string {
  try {
    return readFileSync(url, 'utf8');
  } catch (error) {
    throw new TerminalError(
      {
        place: fileURLToPath(url),
        expected: 'a file that can be read',
        found: (error as Error).message,
        remedy: 'Create the file, or correct the name in the pipeline.',
      },
      { cause: error },
    );
  }
}

/**
 * A small constant relation from a CSV file without quoting, its header the names of `columns` in order: a versioned rate
 * table, a list of countries. Part of the model's hash.
 */
export function csvRelation(
  name: string,
  url: URL,
  columns: Readonly<Record<string, ColumnType>>,
): InlineRelation {
  const [header, ...lines] = readText(url)
    .replace(/^\uFEFF/, '')
    .trim()
    .split(/\r?\n/);
  const names = Object.keys(columns);
  const wrong = (line: number, found: string): TerminalError =>
    new TerminalError({
      place: `${fileURLToPath(url)}, line ${line}`,
      expected: line === 1 ? `the header ${names.join(',')}` : `${names.length} fields without quotes`,
      found: JSON.stringify(found),
      remedy: 'Correct the file.',
    });
  if (header !== names.join(',')) throw wrong(1, header ?? '');
  const rows = lines.map((line, index) => {
    const fields = line.split(',');
    if (fields.length !== names.length || line.includes('"')) throw wrong(index + 2, line);
    return fields;
  });
  return {
    name,
    columns: names.map((column): Column => ({ name: column, type: columns[column]!, nullable: false })),
    rows,
  };
}

/**
 * Puts the views that a select names, directly or through another view, in front of it. A view is text: the engine sees one query
 * and writes nothing in between.
 */
export function withViews(sql: string, views: readonly NamedSql[]): string {
  const needed = new Set<string>();
  const look = (text: string): void => {
    for (const view of views) {
      if (needed.has(view.name) || !new RegExp(`\\b${view.name}\\b`).test(text)) continue;
      look(view.sql);
      needed.add(view.name);
    }
  };
  look(sql);
  if (needed.size === 0) return sql;
  const parts = [...needed].map(
    (name) => `${name} as (\n${views.find((view) => view.name === name)!.sql}\n)`,
  );
  return `with ${parts.join(',\n')}\nselect * from (\n${sql}\n) model`;
}
