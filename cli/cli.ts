import { loadConfig, type Config, type ConfigInputs } from '../workers/config.ts';

/** What every command gets: flags, environment, where to write, and when to stop. */
export interface Cli {
  readonly inputs: ConfigInputs;
  /** Aborted by Ctrl-C, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  readonly config: () => Config;
  /** Results: standard output. */
  readonly print: (text: string) => void;
  /** Progress and remarks: standard error. */
  readonly note: (text: string) => void;
}

export function createCli(inputs: ConfigInputs, signal: AbortSignal): Cli {
  return {
    inputs,
    signal,
    config: () => loadConfig(inputs),
    print: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** Thrown by a command that has said everything and ends with this code. */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Wrong use of the command line: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
