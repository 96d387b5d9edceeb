/** What every error of the product carries: what was expected, what was found, what to do about it. */
export interface ErrorFacts {
  readonly expected: string;
  readonly found: string;
  readonly remedy: string;
  /** File, line, column, row, task, run: whatever says where. */
  readonly place?: string;
}

/** A list ends with its last line, and what others say often with a full stop. */
function ended(found: string): string {
  if (found.endsWith('\n')) return found;
  return /[.!?…]$/.test(found) ? `${found} ` : `${found}. `;
}

function sentence(facts: ErrorFacts): string {
  const place = facts.place === undefined ? '' : `${facts.place}: `;
  return `${place}expected ${facts.expected}; found ${ended(facts.found)}${facts.remedy}`;
}

/** Thrown when trying again cannot help: bad input, bad definition, a broken contract. */
export class TerminalError extends Error {
  override readonly name: string = 'TerminalError';
  readonly facts: ErrorFacts;
  constructor(facts: ErrorFacts, options?: { cause?: unknown }) {
    super(sentence(facts), options);
    this.facts = facts;
  }
}

/** Thrown when the same call may succeed later: a lost connection, a busy service. */
export class RetryableError extends Error {
  override readonly name: string = 'RetryableError';
  readonly facts: ErrorFacts;
  constructor(facts: ErrorFacts, options?: { cause?: unknown }) {
    super(sentence(facts), options);
    this.facts = facts;
  }
}

/** Thrown by `publish` when a partition of the snapshot has moved, or another run has leased one of the outputs: the task recomputes from a new snapshot. */
export class SnapshotConflictError extends Error {
  override readonly name = 'SnapshotConflictError';
  readonly partitions: readonly string[];
  constructor(partitions: readonly string[], because = 'another run published there') {
    super(
      `The snapshot no longer holds for ${partitions.join(', ')}: ${because}. The task computes again from the new versions.`,
    );
    this.partitions = partitions;
  }
}

/** Thrown when a run that is no longer open in the ledger (ended, cancelled, replaced) tries to write. */
export class RunClosedError extends TerminalError {
  override readonly name = 'RunClosedError';
}
