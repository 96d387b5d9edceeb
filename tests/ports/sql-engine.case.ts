import { describe } from 'vitest';
import { testUnless, type Skip } from './conformance.ts';
import { csvExportCases } from './sql-engine/csv-export.case.ts';
import { csvImportCases } from './sql-engine/csv-import.case.ts';
import type { OpenSqlEngine } from './sql-engine/fixture.ts';
import { outputCases } from './sql-engine/outputs.case.ts';
import { relationCases } from './sql-engine/relations.case.ts';
import { stoppingCases } from './sql-engine/stopping.case.ts';

/** What every SQL engine promises. `open` gives one over an empty store each time. */
export function sqlEngineConformance(
  name: string,
  open: OpenSqlEngine,
  { skip = [] }: { readonly skip?: readonly Skip[] } = {},
): void {
  const test = testUnless(skip);
  describe(name, () => {
    for (const cases of [relationCases, outputCases, stoppingCases, csvImportCases, csvExportCases])
      cases(test, open);
  });
}
