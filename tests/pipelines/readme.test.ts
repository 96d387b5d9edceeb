import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { contractMarkdown } from '../../activities/index.ts';
import type { Contract } from '../../activities/index.ts';
import * as purchases from '../../pipelines/customer_purchases/contract.ts';
import * as payments from '../../pipelines/payments/contract.ts';

function contractsOf(exported: Readonly<Record<string, unknown>>): readonly Contract[] {
  return Object.values(exported).filter(
    (value): value is Contract => typeof value === 'object' && value !== null && 'rules' in value,
  );
}

const all = [
  ...contractsOf(payments).map((contract) => ['payments', contract.name, contract] as const),
  ...contractsOf(purchases).map((contract) => ['customer_purchases', contract.name, contract] as const),
];

test.each(all)('the README of %s describes %s as its contract has it', (pipeline, _, contract) => {
  const readme = readFileSync(new URL(`../../pipelines/${pipeline}/README.md`, import.meta.url), 'utf8');
  expect(readme).toContain(contractMarkdown(contract));
});

test('there are contracts to describe', () => {
  expect(all.length).toBeGreaterThan(15);
});
