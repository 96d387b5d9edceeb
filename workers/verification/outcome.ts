import { RetryableError, TerminalError } from '../../ports/errors.ts';

/** What one check came to. */
export interface Outcome {
  readonly service: string;
  readonly what: string;
  readonly state: 'shown' | 'failed' | 'skipped';
  readonly expected: string;
  readonly found: string;
  readonly remedy: string | null;
}

/** Thrown by a check that found something else than it expected. */
class UnexpectedError extends TerminalError {}

export function unexpected(
  expected: string,
  found: string,
  remedy = 'Tell us what you found, with the id of the request if there is one.',
): TerminalError {
  return new UnexpectedError({ expected, found, remedy });
}

/** Thrown by a check that cannot show what it wants to. */
export class NotShownError extends Error {
  override readonly name = 'NotShownError';
}

function failure(error: unknown): Pick<Outcome, 'found' | 'remedy'> {
  if (!(error instanceof TerminalError || error instanceof RetryableError))
    return {
      found: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      remedy: null,
    };
  const { expected, found, remedy, place } = error.facts;
  if (error instanceof UnexpectedError) return { found, remedy };
  return {
    found: `${place === undefined ? '' : `${place}: `}expected ${expected}, but found ${found}`,
    remedy,
  };
}

/** The checks of one service, told one by one. */
export class Checks {
  readonly #service: string;
  readonly #tell: (outcome: Outcome) => void;

  constructor(service: string, tell: (outcome: Outcome) => void) {
    this.#service = service;
    this.#tell = tell;
  }

  /** `run` says what it found when that is as expected, and throws otherwise. True when it was as expected. */
  async check(what: string, expected: string, run: () => Promise<string>): Promise<boolean> {
    const told = { service: this.#service, what, expected };
    try {
      this.#tell({ ...told, state: 'shown', found: await run(), remedy: null });
      return true;
    } catch (error) {
      if (error instanceof NotShownError) this.skip(what, error.message);
      else this.#tell({ ...told, state: 'failed', ...failure(error) });
      return false;
    }
  }

  skip(what: string, why: string): void {
    this.#tell({ service: this.#service, what, state: 'skipped', expected: '', found: why, remedy: null });
  }
}
