import type { Node } from './node.ts';
import type { Complaint } from './portability.ts';
import type { Term } from './term.ts';

/** What the parts of the translation need of each other. Everything outside the subset is told to `refuse`; the translation goes on to find more. */
export interface Translator {
  expression(node: Node): Term;
  /** A query without parentheses. */
  query(node: Node): string;
  /** Complains about a node; `at` is an offset that is known better. Returns a term to go on with. */
  refuse(node: unknown, complaint: Complaint, at?: number | null): Term;
  /** Complains about every field that says something and is not among `known`. */
  onlyKnows(fields: Node, known: readonly string[], what: string): void;
  /** Offset of the next call of a function. */
  nextCall(name: string): number | null;
}
