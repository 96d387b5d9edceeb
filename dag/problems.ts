/** One thing wrong with a definition: where, and what was expected, what found, what to do. */
export interface Problem {
  /** `dag payments`, `dag payments, task silver`, `param days`. */
  readonly place: string;
  readonly message: string;
}

export function problem(place: string, expected: string, found: string, remedy: string): Problem {
  return { place, message: `expected ${expected}; found ${found}. ${remedy}` };
}

/** Thrown once for a definition, with every problem it has. Retrying cannot help. */
export class DagProblemsError extends Error {
  override readonly name = 'DagProblemsError';
  readonly problems: readonly Problem[];
  constructor(subject: string, problems: readonly Problem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(
      `${subject} has ${count}:\n${problems.map((each) => `- ${each.place}: ${each.message}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/** A value as it should appear in a message: JSON, shortened. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return `the function ${value.name || '(anonymous)'}`;
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'number')
    return String(value);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined;
  }
  if (text === undefined) return Object.prototype.toString.call(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
