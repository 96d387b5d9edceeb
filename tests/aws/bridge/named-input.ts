import { ServiceError, type Fields } from './call.ts';

export function text(input: Fields, name: string): string {
  const value = input[name];
  if (typeof value !== 'string' || value === '')
    throw new ServiceError('InvalidInputException', `${name} is required`);
  return value;
}

export function textOr<T>(input: Fields, name: string, otherwise: T): string | T {
  const value = input[name];
  return typeof value === 'string' ? value : otherwise;
}

export function fields(input: Fields, name: string): Fields {
  return (input[name] ?? {}) as Fields;
}

export function texts(input: Fields, name: string): Readonly<Record<string, string>> {
  return fields(input, name) as Readonly<Record<string, string>>;
}

export function list<T>(input: Fields, name: string): readonly T[] {
  return (input[name] ?? []) as readonly T[];
}

/** Refuses more entries than the service takes in one call. */
export function limitedList<T>(input: Fields, name: string, most: number): readonly T[] {
  const entries = list<T>(input, name);
  if (entries.length > most)
    throw new ServiceError(
      'InvalidInputException',
      `Member must have length less than or equal to ${most} at '${name}', found ${entries.length}`,
    );
  return entries;
}

/** One page of what there is; tokens say where the next begins. */
export function page<T>(
  input: Fields,
  all: readonly T[],
  most: number,
): { readonly items: readonly T[]; readonly next: { readonly NextToken?: string } } {
  const start = Number(input['NextToken'] ?? 0);
  if (!Number.isInteger(start)) throw new ServiceError('InvalidInputException', 'NextToken is not valid');
  const end = start + Math.min(Number(input['MaxResults'] ?? most), most);
  return { items: all.slice(start, end), next: end < all.length ? { NextToken: String(end) } : {} };
}

/** Instants as the JSON protocol writes them. */
export function seconds(at: number): number {
  return at / 1000;
}
