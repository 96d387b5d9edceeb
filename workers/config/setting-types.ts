import { z } from 'zod';
import { parseReference } from './secret.ts';

export const gib = 1024 ** 3;
const units: Readonly<Record<string, number>> = {
  b: 1,
  kib: 1024,
  mib: 1024 ** 2,
  gib,
  kb: 1000,
  mb: 1e6,
  gb: 1e9,
};

export const bytes = z.union([z.number(), z.string()]).transform((value, context) => {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(String(value).trim());
  const unit = units[(match?.[2] || 'b').toLowerCase()];
  const size = match && unit ? Math.round(Number(match[1]) * unit) : Number.NaN;
  if (size >= 64 * 1024 ** 2) return size;
  context.addIssue({ code: 'custom', message: 'a size of at least 64 MiB, such as "1.5GiB" or "800 MB"' });
  return z.NEVER;
});

export function sizeText(size: number): string {
  return size % 1024 ** 2 === 0 ? `${Number((size / gib).toFixed(3))} GiB` : `${size} bytes`;
}

export const whole = (least: number, most: number) =>
  z.union([z.number(), z.string()]).transform((value, context) => {
    const number = String(value).trim() === '' ? Number.NaN : Number(value);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    context.addIssue({ code: 'custom', message: `a whole number from ${least} to ${most}` });
    return z.NEVER;
  });

export const text = z.string({ error: 'a text' }).min(1, { error: 'a text that is not empty' });

export const choice = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `one of ${values.join(', ')}` });

/** A list in the file; elsewhere texts separated by commas. */
export const list = z
  .union([z.string(), z.array(z.string())], { error: 'a list of texts' })
  .transform((value) =>
    (typeof value === 'string' ? value.split(',') : value)
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

export const secret = text.transform((value, context) => {
  const reference = parseReference(value);
  if (reference !== null) return reference;
  context.addIssue({ code: 'custom', message: 'a URL, "env:NAME", "file:/path" or "secretsmanager:<name>"' });
  return z.NEVER;
});

export interface Setting<T = unknown> {
  /** `section.name`, as in the file. */
  readonly key: string;
  readonly env: string;
  /** Without dashes; absent when there is no flag for it. */
  readonly flag?: string;
  readonly type: z.ZodType<T>;
  /** In words, for `ingot doctor` and the documentation. */
  readonly about: string;
  /** Relative paths in flags and environment are taken from the working folder, in the file from the file's folder. */
  readonly path?: true;
  readonly unit?: 'bytes';
}
