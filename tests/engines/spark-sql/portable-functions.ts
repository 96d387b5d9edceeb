import { portableFunctions } from '../../../engines/spark-sql/functions.ts';

/** The rows of the table of functions in docs/portable-sql.md. */
export function functionRows(): readonly string[] {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  return Object.values(portableFunctions).map(
    ({ form, note, window }) =>
      `| \`${cell(form)}\` | ${cell(note ?? (window === true ? 'over a window' : ''))} |`,
  );
}
