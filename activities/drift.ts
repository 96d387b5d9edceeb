import type { Contract } from '../dag/contract.ts';
import type { Column } from '../dag/relation.ts';
import { sourceColumns } from './casting.ts';

/** How what was found differs from what the contract declares. Empty lists: it does not. */
export interface Drift {
  readonly added: readonly string[];
  readonly missing: readonly string[];
  /** Declared columns that are there, but not in the declared place before all others. */
  readonly moved: readonly string[];
  /** `amount: decimal(18,2), found date` and the like. */
  readonly retyped: readonly string[];
}

/** A file's header against the columns of its source. Names are compared as written. */
export function driftOf(source: Contract, header: readonly string[]): Drift {
  const declared = sourceColumns(source).map(({ name }) => name);
  return {
    added: header.filter((name) => !declared.includes(name)),
    missing: declared.filter((name) => !header.includes(name)),
    moved: declared.filter((name, index) => header.includes(name) && header[index] !== name),
    retyped: [],
  };
}

/** Whether a file's records can be read by the contract: its columns come first, in order; new ones may follow. */
export function isReadable({ missing, moved }: Drift): boolean {
  return missing.length === 0 && moved.length === 0;
}

/** A stored file's columns against those the table should have in its files: all but the partition columns. */
export function storedDrift(contract: Contract, stored: readonly Column[]): Drift {
  const declared = sourceColumns(contract);
  const found = new Map(stored.map((column) => [column.name, column.type]));
  return {
    added: stored
      .filter(({ name }) => !declared.some((column) => column.name === name))
      .map(({ name }) => name),
    missing: declared.filter(({ name }) => !found.has(name)).map(({ name }) => name),
    moved: [],
    retyped: declared
      .filter(({ name, type }) => found.has(name) && found.get(name) !== type)
      .map(({ name, type }) => `${name}: ${type}, found ${found.get(name)}`),
  };
}

export function isDrifted({ added, missing, moved, retyped }: Drift): boolean {
  return added.length + missing.length + moved.length + retyped.length > 0;
}

/** `missing country; new discount` */
export function driftText({ added, missing, moved, retyped }: Drift): string {
  return [
    ...(missing.length > 0 ? [`missing ${missing.join(', ')}`] : []),
    ...(moved.length > 0 ? [`not in their place ${moved.join(', ')}`] : []),
    ...(retyped.length > 0 ? [`retyped ${retyped.join('; ')}`] : []),
    ...(added.length > 0 ? [`new ${added.join(', ')}`] : []),
  ].join('; ');
}

/** `txn_id text, amount decimal(18,2)` */
export function schemaText(columns: readonly Column[]): string {
  return columns.map(({ name, type }) => `${name} ${type}`).join(', ');
}
