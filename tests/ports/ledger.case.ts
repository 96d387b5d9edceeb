import { describe } from 'vitest';
import { testUnless } from './conformance.ts';
import type { Skip } from './conformance.ts';
import { assetCases } from './ledger/assets.case.ts';
import { backfillCases } from './ledger/backfills.case.ts';
import { catalogCases } from './ledger/catalogs.case.ts';
import { conflictCases } from './ledger/conflicts.case.ts';
import type { OpenLedger } from './ledger/fixture.ts';
import { leaseCases } from './ledger/leases.case.ts';
import { outageCases } from './ledger/outages.case.ts';
import { poolCases } from './ledger/pools.case.ts';
import { publishCases } from './ledger/publish.case.ts';
import { recordCases } from './ledger/records.case.ts';
import { refusalCases } from './ledger/refusals.case.ts';
import { retentionCases } from './ledger/retention.case.ts';
import { runLogCases } from './ledger/run-log.case.ts';
import { scheduleCases } from './ledger/schedules.case.ts';
import { serialCases } from './ledger/serial.case.ts';

/** What every ledger promises. `open` gives an empty one each time. */
export function ledgerConformance(
  name: string,
  open: OpenLedger,
  { skip = [] }: { readonly skip?: readonly Skip[] } = {},
): void {
  const test = testUnless(skip);
  describe(name, () => {
    for (const cases of [
      runLogCases,
      backfillCases,
      assetCases,
      scheduleCases,
      publishCases,
      conflictCases,
      refusalCases,
      recordCases,
      leaseCases,
      poolCases,
      catalogCases,
      retentionCases,
      serialCases,
      outageCases,
    ])
      cases(test, open);
  });
}
