import type { Json } from './json.ts';

declare const outputType: unique symbol;

/** Carries the type of a value that exists only in the run. */
export interface Referring<out T> {
  readonly [outputType]: T;
}

/**
 * Stands for a value of type `T` that exists only in the run: a task's output, the interval, a param. Reading a
 * property or element gives a reference to that part. It can be passed as (part of) a task's input, nothing else.
 */
export type Ref<T> = Referring<T> & Parts<T>;

type Missing<T> = null extends T ? null : undefined extends T ? undefined : never;
type Parts<T> = unknown extends T
  ? unknown
  : [NonNullable<T>] extends [never]
    ? unknown
    : [NonNullable<T>] extends [readonly (infer Element)[]]
      ? { readonly [index: number]: Ref<Element | Missing<T>>; readonly length: Ref<number> }
      : [NonNullable<T>] extends [object]
        ? { readonly [Key in keyof NonNullable<T>]-?: Ref<NonNullable<T>[Key] | Missing<T>> }
        : unknown;

/** `I` with references allowed in place of any part of it; a task stands for its own output. */
export type Wired<I> = unknown extends I ? unknown : Referring<I> | Plain<I>;
type Plain<I> = I extends string | number | boolean | null | undefined
  ? I
  : I extends readonly unknown[]
    ? { readonly [Key in keyof I]: Wired<I[Key]> }
    : I extends object
      ? { readonly [Key in keyof I]: Wired<I[Key]> } & { readonly [outputType]?: never }
      : never;

/** What is left of a value after it went through JSON: nothing is null, a Date its text. */
export type JsonOf<T> = unknown extends T
  ? T
  : [T] extends [Json]
    ? T
    : T extends undefined | void
      ? null
      : T extends string | number | boolean | null
        ? T
        : T extends { toJSON(): infer Text }
          ? JsonOf<Text>
          : T extends bigint | symbol | ((...input: never) => unknown)
            ? never
            : T extends readonly unknown[]
              ? { [Key in keyof T]: JsonOf<T[Key]> }
              : {
                  [
                    Key in keyof T as T[Key] extends symbol | ((...input: never) => unknown) ? never : Key
                  ]: JsonField<T[Key]>;
                };
type JsonField<T> = undefined extends T ? JsonOf<Exclude<T, undefined>> | undefined : JsonOf<T>;

/** What a reference refers to. `scope` is the DAG declaration it belongs to. */
export interface Referent {
  readonly scope: object;
  readonly source: 'task' | 'item' | 'interval' | 'params' | 'run';
  /** The task whose output, or the mapped task whose element, is meant. */
  readonly taskId: string | null;
  readonly path: readonly (string | number)[];
}

const referents = new WeakMap<object, Referent>();

/** What `value` refers to, when it is a reference or a task. */
export function referentOf(value: unknown): Referent | undefined {
  return typeof value === 'object' && value !== null ? referents.get(value) : undefined;
}

/** Makes `value` itself usable as a reference. */
export function markReferring(value: object, referent: Referent): void {
  referents.set(value, referent);
}

/**
 * Makes a reference. Using it as a value while the DAG is being declared (in a text, a loop, a spread) is told to
 * `onMisuse`, because it has none yet.
 */
export function createRef<T>(referent: Referent, onMisuse: (found: string) => void): Ref<T> {
  const parts = new Map<string, object>();
  const part = (name: string): object => {
    const known = parts.get(name);
    if (known !== undefined) return known;
    const step = /^(0|[1-9]\d{0,9})$/.test(name) ? Number(name) : name;
    const made = createRef<object>({ ...referent, path: [...referent.path, step] }, onMisuse);
    parts.set(name, made);
    return made;
  };
  const ref = new Proxy(Object.freeze({}), {
    get(_, name) {
      if (name === Symbol.toPrimitive)
        return () => (onMisuse('a reference used as text or number'), '<reference>');
      if (name === Symbol.iterator) return () => (onMisuse('a loop over a reference'), [].values());
      // A thenable would make `await ref` hang; JSON.stringify would call toJSON.
      if (typeof name === 'symbol' || name === 'then' || name === 'toJSON') return undefined;
      return part(name);
    },
    ownKeys() {
      onMisuse('a reference that is spread or whose keys are read');
      return [];
    },
  });
  markReferring(ref, referent);
  return ref as unknown as Ref<T>;
}
