import { RetryableError, TerminalError } from '../../ports/errors.ts';

/** One thing looked at. `note` is no fault, but worth knowing. */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'note' | 'wrong';
  readonly found: string;
  readonly remedy: string | null;
}

export function ok(what: string, found: string): Finding {
  return { what, state: 'ok', found, remedy: null };
}

export function note(what: string, found: string, remedy: string | null = null): Finding {
  return { what, state: 'note', found, remedy };
}

export function wrong(what: string, error: unknown, remedy: string | null = null): Finding {
  return { what, state: 'wrong', found: error instanceof Error ? error.message : String(error), remedy };
}

/** An error of ours with its remedy in the place for remedies. */
export function failed(what: string, error: unknown): Finding {
  if (!(error instanceof TerminalError || error instanceof RetryableError)) return wrong(what, error);
  const { expected, found, remedy, place } = error.facts;
  return wrong(
    what,
    `${place === undefined ? '' : `${place}: `}expected ${expected}; found ${found}`,
    remedy,
  );
}

function isDenied(error: unknown): error is TerminalError {
  return error instanceof TerminalError && error.facts.expected.startsWith('permission for ');
}

/** Looks at something that is not needed to work: what may not be looked at is a note that names the action. */
export async function looked(what: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    if (!isDenied(error)) return failed(what, error);
    const action = error.facts.expected.slice('permission for '.length);
    return note(what, `could not be checked without ${action}`);
  }
}
