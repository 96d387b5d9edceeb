import { ServiceError } from './call.ts';

export interface PartitionKey {
  readonly Name: string;
  readonly Type?: string;
}

type Condition = (value: (name: string) => string) => boolean;
type Compare = (left: string, right: string) => number;

const token = /\s*('(?:[^']|'')*'|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|<=|>=|<>|!=|[=<>(),])/y;

function tokens(text: string): string[] {
  const found: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.trimEnd().length) {
    const match = token.exec(text);
    if (match === null) throw new ServiceError('InvalidInputException', `Unsupported expression '${text}'`);
    found.push(match[1] ?? '');
  }
  return found;
}

const numeric = /^(?:tinyint|smallint|int|bigint|decimal|double|float|long)/;

/** Numbers by their size, all else as text, which puts ISO dates in order too. */
function comparing(type = 'string'): Compare {
  if (numeric.test(type)) return (left, right) => Number(left) - Number(right);
  return (left, right) => (left < right ? -1 : left > right ? 1 : 0);
}

const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Reads `or`, `and`, `not`, parentheses, comparisons, `in`, `between`, `like` and `is null` of Glue's GetPartitions. */
class Parser {
  readonly #tokens: string[];
  readonly #keys: readonly PartitionKey[];
  #at = 0;

  constructor(text: string, keys: readonly PartitionKey[]) {
    this.#tokens = tokens(text);
    this.#keys = keys;
  }

  parse(): Condition {
    const condition = this.#or();
    if (this.#at < this.#tokens.length) throw this.#unexpected();
    return condition;
  }

  #unexpected(): ServiceError {
    const found = this.#tokens[this.#at] ?? 'the end';
    return new ServiceError('InvalidInputException', `Unsupported expression: unexpected ${found}`);
  }

  #takes(word: string): boolean {
    if (this.#tokens[this.#at]?.toLowerCase() !== word) return false;
    this.#at += 1;
    return true;
  }

  #require(word: string): void {
    if (!this.#takes(word)) throw this.#unexpected();
  }

  #or(): Condition {
    let left = this.#and();
    while (this.#takes('or')) {
      const [first, second] = [left, this.#and()];
      left = (value) => first(value) || second(value);
    }
    return left;
  }

  #and(): Condition {
    let left = this.#not();
    while (this.#takes('and')) {
      const [first, second] = [left, this.#not()];
      left = (value) => first(value) && second(value);
    }
    return left;
  }

  #not(): Condition {
    if (this.#takes('not')) {
      const inner = this.#not();
      return (value) => !inner(value);
    }
    if (!this.#takes('(')) return this.#comparison();
    const inner = this.#or();
    this.#require(')');
    return inner;
  }

  #key(): PartitionKey {
    const name = this.#tokens[this.#at];
    const key = this.#keys.find(({ Name }) => Name.toLowerCase() === name?.toLowerCase());
    if (key === undefined) throw this.#unexpected();
    this.#at += 1;
    return key;
  }

  #literal(): string {
    const found = this.#tokens[this.#at] ?? '';
    if (!/^['\d-]/.test(found)) throw this.#unexpected();
    this.#at += 1;
    return found.startsWith("'") ? found.slice(1, -1).replaceAll("''", "'") : found;
  }

  #comparison(): Condition {
    const { Name, Type } = this.#key();
    const compare = comparing(Type);
    if (this.#takes('not')) {
      const inner = this.#set(Name, compare);
      return (value) => !inner(value);
    }
    const holds = comparisons[this.#tokens[this.#at] ?? ''];
    if (holds === undefined) return this.#set(Name, compare);
    this.#at += 1;
    const right = this.#literal();
    return (value) => holds(compare(value(Name), right));
  }

  #set(name: string, compare: Compare): Condition {
    if (this.#takes('in')) {
      this.#require('(');
      const values = [this.#literal()];
      while (this.#takes(',')) values.push(this.#literal());
      this.#require(')');
      return (value) => values.some((one) => compare(value(name), one) === 0);
    }
    if (this.#takes('between')) {
      const low = this.#literal();
      this.#require('and');
      const high = this.#literal();
      return (value) => compare(value(name), low) >= 0 && compare(value(name), high) <= 0;
    }
    this.#require('like');
    const pattern = this.#literal()
      .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('%', '.*')
      .replaceAll('_', '.');
    return (value) => new RegExp(`^${pattern}$`, 's').test(value(name));
  }
}

/** Says of a partition's values whether they fit an `Expression` of GetPartitions; throws InvalidInputException for one that Glue would refuse. */
export function partitionFilter(
  expression: string,
  keys: readonly PartitionKey[],
): (values: readonly string[]) => boolean {
  if (expression.trim() === '') return () => true;
  const condition = new Parser(expression, keys).parse();
  return (values) => condition((name) => values[keys.findIndex(({ Name }) => Name === name)] ?? '');
}
