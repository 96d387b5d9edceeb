import { describe } from 'vitest';
import { testUnless } from './conformance.ts';
import type { Skip } from './conformance.ts';
import type { OpenWarehouse } from './warehouse/fixture.ts';
import { interruptionCases } from './warehouse/interruptions.case.ts';
import { sliceCases } from './warehouse/slices.case.ts';
import { valueCases } from './warehouse/values.case.ts';

/** What every warehouse promises. `open` gives an empty one each time. */
export function warehouseConformance(
  name: string,
  open: OpenWarehouse,
  { skip = [] }: { readonly skip?: readonly Skip[] } = {},
): void {
  const test = testUnless(skip);
  describe(name, () => {
    for (const cases of [valueCases, sliceCases, interruptionCases]) cases(test, open);
  });
}
