import type { Cli } from '../cli.ts';

/** Connects a command to its handler, whose module is loaded only when the command is given. */
export type Action = <Given extends unknown[]>(
  load: () => Promise<(cli: Cli, ...given: Given) => Promise<void>>,
) => (...given: unknown[]) => Promise<void>;

export const repeated = (value: string, all: string[]): string[] => [...all, value];
const none: string[] = [];

export const json = ['--json', 'print JSON'] as const;
export const params = [
  '--param <name=value>',
  'a parameter of the DAG; may be repeated',
  repeated,
  none,
] as const;
export const skipUnchanged = [
  '--skip-unchanged',
  'leave partitions alone that are made of the same as when they were published',
] as const;
