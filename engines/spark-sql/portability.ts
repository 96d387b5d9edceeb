/** Something in a select that is not in the portable subset. */
export interface PortabilityProblem {
  readonly message: string;
  /** Both from 1, of the text that was given. */
  readonly line: number;
  readonly column: number;
  /** What stands there. */
  readonly found: string;
  /** What to write instead. */
  readonly portable: string;
}

/** A problem without its place. */
export interface Complaint {
  readonly found: string;
  /** Why it is not portable, as a clause. */
  readonly because: string;
  readonly portable: string;
}
