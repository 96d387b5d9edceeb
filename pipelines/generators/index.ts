import { generateCustomerPurchases } from '../customer_purchases/generator.ts';
import { generatePayments } from '../payments/generator.ts';
import type { GenerateOptions, GeneratedFile } from './options.ts';

export interface Generator {
  readonly description: string;
  readonly generate: (options: GenerateOptions) => Promise<readonly GeneratedFile[]>;
}

/** Sources that can be generated, by the name `ingot generate <source>` takes. */
export const generators: Readonly<Record<string, Generator>> = {
  payments: {
    description: 'One CSV of card payments per date, with duplicates across days and every kind of dirt.',
    generate: generatePayments,
  },
  customer_purchases: {
    description: 'One CSV of customer purchases per date, with untidy names and files delivered twice.',
    generate: generateCustomerPurchases,
  },
};

export type { GenerateOptions, GeneratedFile, Truth } from './options.ts';
