import { pc } from './colours.ts';
import { DagProblemsError } from '../dag/problems.ts';
import { ExitError, UsageError } from './cli.ts';
import { Interrupted } from './interrupt.ts';

/** Says what went wrong, and the exit code for it: 2 for wrong use, 1 for a failure, 128 + n for signal n. */
export function printError(error: unknown, debug: boolean): number {
  if (error instanceof ExitError || error instanceof Interrupted) return error.code;
  const message = error instanceof Error ? error.message || error.name : String(error);
  process.stderr.write(`${pc.red('ingot:')} ${message.trimEnd()}\n`);
  if (debug && error instanceof Error) process.stderr.write(`${withCauses(error)}\n`);
  else if (isUnexpected(error))
    process.stderr.write(pc.dim('Run it again with --debug for the place in the code.\n'));
  return error instanceof UsageError ? 2 : 1;
}

/** Errors of our own say expected, found and remedy; any other one is a surprise. */
function isUnexpected(error: unknown): boolean {
  return !(
    error instanceof UsageError ||
    error instanceof DagProblemsError ||
    (error instanceof Error && 'facts' in error)
  );
}

function withCauses(error: Error): string {
  const own = error.stack ?? String(error);
  return error.cause instanceof Error ? `${own}\ncaused by ${withCauses(error.cause)}` : own;
}
