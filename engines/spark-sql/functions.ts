import { lowerPairs, upperPairs } from './case-pairs.ts';
import type { CasePairs } from './case-pairs.ts';
import { constructOf, textAt } from './node.ts';
import type { Node } from './node.ts';
import { matchesNothing, matchesOnce, patternProblem } from './pattern.ts';
import type { Complaint } from './portability.ts';
import { floats, refusingTypes, sparkText, term } from './term.ts';
import type { Term, TermType } from './term.ts';

export interface Call {
  readonly args: readonly Term[];
  readonly nodes: readonly Node[];
  readonly distinct: boolean;
  readonly filter: string | null;
  /** Over a window. */
  readonly over: boolean;
  refuse(complaint: Complaint): Term;
}

export interface PortableFunction {
  readonly arity: readonly [number, number];
  /** How it is called, for the documentation. */
  readonly form: string;
  /** What to know of it. */
  readonly note?: string;
  readonly aggregate?: boolean;
  /** Only over a window. */
  readonly window?: boolean;
  readonly spark: (call: Call) => Term;
}

const list = (call: Call): string => call.args.map((each) => each.sql).join(', ');

/** The same name and meaning in Spark. */
function same(
  form: string,
  count: number | readonly [number, number],
  type: TermType,
  name?: string,
): PortableFunction {
  const called = name ?? /^[a-z0-9_]+/.exec(form)![0];
  return {
    arity: typeof count === 'number' ? [count, count] : count,
    form,
    spark: (call) => term(`${called}(${list(call)})`, type),
  };
}

function aggregate(
  form: string,
  spark: (argument: string, call: Call) => string,
  type?: TermType,
): PortableFunction {
  return {
    arity: [1, 1],
    form,
    aggregate: true,
    spark: (call) => aggregated(call, spark(call.args[0]!.sql, call), type ?? call.args[0]!.type),
  };
}

function aggregated(call: Call, sql: string, type: TermType): Term {
  const filter = call.filter === null ? '' : ` filter (where ${call.filter})`;
  return term(`${sql}${filter}`, type, type === 'int' || call.args[0]?.whole === true);
}

/** The argument, null where the filter does not hold if Spark allows no filter. */
function filtered(call: Call): Call {
  if (!call.over || call.filter === null) return call;
  const [argument, ...more] = call.args;
  const kept = argument === undefined ? term('1', 'int') : argument;
  return {
    ...call,
    filter: null,
    args: [{ ...kept, sql: `case when ${call.filter} then ${kept.sql} end` }, ...more],
  };
}

function text(call: Call, index: number): string | null {
  const { kind, fields } = constructOf(call.nodes[index] ?? {});
  return kind === 'literal' && textAt(fields, 'literal_type') === 'string' ? textAt(fields, 'value') : null;
}

function number(call: Call, index: number): number | null {
  const { kind, fields } = constructOf(call.nodes[index] ?? {});
  const value = textAt(fields, 'value');
  return kind === 'literal' && /^[0-9]+$/.test(value) ? Number(value) : null;
}

/** A literal pattern of the shared subset, or the complaint as a term. */
function pattern(call: Call): string | Term {
  const found = text(call, 1);
  if (found === null)
    return call.refuse({
      found: 'a regular expression that is not a literal',
      because: 'it cannot be checked',
      portable: 'a literal pattern',
    });
  const problem = patternProblem(found);
  if (problem === null) return found;
  return call.refuse({
    found: `${problem.found} in a regular expression`,
    because: 'RE2 and Java do not share it',
    portable: problem.portable,
  });
}

function withPattern(call: Call, spark: (pattern: string) => Term): Term {
  const found = pattern(call);
  return typeof found === 'string' ? spark(found) : found;
}

function replaced(call: Call): Term {
  return withPattern(call, (found) => {
    const all = text(call, 3) === 'g';
    const by = text(call, 2);
    if (by === null || by.includes('\\') || (call.nodes.length === 4 && !all))
      return call.refuse({
        found: 'regexp_replace with a reference or a flag',
        because: 'engines write them in different ways',
        portable: `regexp_replace(x, 'pattern', 'literal') or with 'g' to replace every match`,
      });
    if (all && matchesNothing(found))
      return call.refuse({
        found: 'regexp_replace where nothing stands',
        because: 'Java stops within characters beyond 16 bits',
        portable: 'a pattern that matches at least one character',
      });
    if (!all && !matchesOnce(found))
      return call.refuse({
        found: 'regexp_replace of the first match',
        because: 'Spark replaces every match',
        portable: `the flag 'g' to replace every match, or a pattern that begins with ^ or ends with \\z`,
      });
    return term(
      `regexp_replace(${call.args[0]!.sql}, ${sparkText(found)}, ${sparkText(by.replaceAll('$', '\\$'))})`,
      'text',
    );
  });
}

/** DuckDB maps letters one by one, Java whole words (ß, ŉ, final sigma). */
function cased(name: 'lower' | 'upper', { from, to }: CasePairs): PortableFunction {
  return {
    arity: [1, 1],
    form: `${name}(text)`,
    note: 'one letter for one letter, as DuckDB does it: ß stays, İ becomes i',
    spark: (call) => {
      const sql = call.args[0]!.sql;
      const ascii = sparkText('\\A[\\x00-\\x7F]*\\z');
      return term(
        `case when ${sql} rlike ${ascii} then ${name}(${sql}) else translate(${sql}, ${sparkText(from)}, ${sparkText(to)}) end`,
        'text',
      );
    },
  };
}

function numeric(form: string): PortableFunction {
  const name = /^[a-z]+/.exec(form)![0];
  return {
    arity: [1, 1],
    form,
    note: 'of whole numbers and decimals',
    spark: (call) => {
      const [value] = call.args as [Term];
      if (value.type === 'double' && name !== 'abs')
        return call.refuse({
          found: `${name} of a double`,
          because: 'Spark gives a whole number',
          portable: 'round(x)',
        });
      const sql = `${name}(${value.sql})`;
      if (name === 'abs') return term(sql, value.type, value.whole === true);
      return term(refusingTypes(value, floats, `${name} of a double`, sql), value.type, true);
    },
  };
}

function rounded(call: Call): Term {
  const [value] = call.args as [Term];
  const digits = call.nodes.length === 1 ? 0 : number(call, 1);
  if (digits === null || digits > 18)
    return call.refuse({
      found: 'round',
      because: 'the digits must be known',
      portable: 'round(x, <literal from 0>)',
    });
  if (call.nodes.length === 1) return term(`round(${value.sql})`, value.type, true);
  if (value.type === 'double')
    return call.refuse({
      found: 'round of a double to digits',
      because: 'engines take the half from different forms of the number',
      portable: 'round of a decimal, or round(x) to a whole number',
    });
  return term(
    refusingTypes(value, floats, 'round of a double to digits', `round(${value.sql}, ${digits})`),
    value.type,
    value.whole === true,
  );
}

/** Positions before the first character mean something else on each engine. */
function part(call: Call): Term {
  const start = number(call, 1);
  const length = call.nodes.length === 2 ? 0 : number(call, 2);
  const [value, from, count] = call.args as [Term, Term, Term | undefined];
  if (start === 0 || length === null)
    return call.refuse({
      found: 'substr',
      because: 'engines count positions before 1 and lengths below 0 in different ways',
      portable: 'substr(x, <from 1>, <literal from 0>)',
    });
  const tail = count === undefined ? '' : `, ${count.sql}`;
  const sql = `substr(${value.sql}, ${from.sql}${tail})`;
  if (start !== null) return term(sql, 'text');
  const message = sparkText('ingot: substr from before the first character');
  return term(`case when ${from.sql} < 1 then raise_error(${message}) else ${sql} end`, 'text');
}

function side(name: 'left' | 'right'): PortableFunction {
  const form = `${name}(text, <literal from 0>)`;
  return {
    arity: [2, 2],
    form,
    spark: (call) =>
      number(call, 1) === null
        ? call.refuse({
            found: name,
            because: 'a length below 0 means something else in Spark',
            portable: form,
          })
        : term(`${name}(${list(call)})`, 'text'),
  };
}

function splitText(call: Call): Term {
  const separator = text(call, 1);
  if (separator === null || separator === '')
    return call.refuse({
      found: 'split',
      because: "Spark's separator is a regular expression",
      portable: `split(x, '<literal that is not empty>')`,
    });
  const escaped = separator.replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&');
  return term(`split(${call.args[0]!.sql}, ${sparkText(escaped)}, -1)`, 'list');
}

function joinedText(call: Call): Term {
  return term(
    `concat(${call.args.map(({ sql }) => `coalesce(cast(${sql} as string), '')`).join(', ')})`,
    'text',
  );
}

const dateParts: readonly string[] = ['day', 'month', 'year'];

function dateDifference(call: Call): Term {
  const unit = text(call, 0)?.toLowerCase();
  const [, from, to] = call.args as [Term, Term, Term];
  const day = (each: Term): string => `cast(${each.sql} as date)`;
  if (unit === 'day') return term(`datediff(${day(to)}, ${day(from)})`, 'int');
  if (unit === 'year') return term(`(year(${to.sql}) - year(${from.sql}))`, 'int');
  if (unit === 'month')
    return term(
      `((year(${to.sql}) - year(${from.sql})) * 12 + month(${to.sql}) - month(${from.sql}))`,
      'int',
    );
  return call.refuse({
    found: 'date_diff',
    because: 'engines count other units in different ways',
    portable: `date_diff('day' | 'month' | 'year', earlier, later)`,
  });
}

function truncated(call: Call): Term {
  const unit = text(call, 0)?.toLowerCase() ?? '';
  if (![...dateParts, 'quarter', 'week', 'hour', 'minute', 'second'].includes(unit))
    return call.refuse({
      found: 'date_trunc',
      because: 'engines know different units',
      portable: `date_trunc('month', x)`,
    });
  return term(
    `cast(date_trunc('${unit}', cast(${call.args[1]!.sql} as timestamp_ntz)) as timestamp_ntz)`,
    'timestamp',
  );
}

function contained(call: Call): Term {
  const [items, item] = call.args as [Term, Term];
  const sql = `case when ${items.sql} is null or ${item.sql} is null then null else coalesce(array_contains(${items.sql}, ${item.sql}), false) end`;
  return term(sql, 'boolean');
}

function padded(name: 'lpad' | 'rpad'): PortableFunction {
  const form = `${name}(text, <literal from 0>, '<literal that is not empty>')`;
  return {
    arity: [3, 3],
    form,
    spark: (call) =>
      number(call, 1) === null || (text(call, 2) ?? '') === ''
        ? call.refuse({
            found: name,
            because: 'DuckDB stops without padding, Spark does not',
            portable: form,
          })
        : term(`${name}(${list(call)})`, 'text'),
  };
}

/** What DuckDB takes off: Unicode's space separators, neither tabs nor line breaks. */
const spaces =
  ' \u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u202F\u205F\u3000';

function trimming(name: string, where: string): PortableFunction {
  return {
    arity: [1, 1],
    form: `${name}(text)`,
    note: 'space separators, neither tabs nor line breaks',
    spark: (call) => term(`trim(${where} ${sparkText(spaces)} from ${call.args[0]!.sql})`, 'text'),
  };
}

function windowOnly(
  form: string,
  count: readonly [number, number],
  type: TermType = 'int',
): PortableFunction {
  return { ...same(form, count, type), window: true };
}

function valueAt(form: string, count: readonly [number, number]): PortableFunction {
  const name = /^[a-z_]+/.exec(form)![0];
  return {
    arity: count,
    form,
    window: true,
    spark: (call) => term(`${name}(${list(call)})`, call.args[0]!.type),
  };
}

/** Every function of the subset, by the name it has in DuckDB. */
export const portableFunctions: Readonly<Record<string, PortableFunction>> = {
  // Text
  concat: {
    arity: [1, 100],
    form: 'concat(a, b, ...)',
    note: 'a null counts as an empty text',
    spark: joinedText,
  },
  concat_ws: { ...same('concat_ws(separator, a, b, ...)', [2, 100], 'text'), note: 'leaves nulls out' },
  contains: same('contains(text, part)', 2, 'boolean'),
  ends_with: same('ends_with(text, end)', 2, 'boolean', 'endswith'),
  starts_with: same('starts_with(text, start)', 2, 'boolean', 'startswith'),
  left: side('left'),
  right: side('right'),
  length: { ...same('length(text)', 1, 'int'), note: 'in code points; of a list array_length' },
  lower: cased('lower', lowerPairs),
  upper: cased('upper', upperPairs),
  lpad: padded('lpad'),
  rpad: padded('rpad'),
  ltrim: trimming('ltrim', 'leading'),
  rtrim: trimming('rtrim', 'trailing'),
  trim: trimming('trim', 'both'),
  md5: { ...same('md5(text)', 1, 'text'), note: 'of the UTF-8 bytes, in hexadecimal digits' },
  sha256: { arity: [1, 1], form: 'sha256(text)', spark: (call) => term(`sha2(${list(call)}, 256)`, 'text') },
  repeat: same('repeat(text, count)', 2, 'text'),
  replace: same('replace(text, part, by)', 3, 'text'),
  strpos: { ...same('strpos(text, part)', 2, 'int', 'instr'), note: 'from 1; 0 if it is not there' },
  substr: { arity: [2, 3], form: 'substr(text, start, <length>)', note: 'start from 1', spark: part },
  regexp_matches: {
    arity: [2, 2],
    form: `regexp_matches(text, 'pattern')`,
    note: 'somewhere in the text; ^ and \\z are its ends',
    spark: (call) =>
      withPattern(call, (found) => term(`(${call.args[0]!.sql} rlike ${sparkText(found)})`, 'boolean')),
  },
  regexp_full_match: {
    arity: [2, 2],
    form: `regexp_full_match(text, 'pattern')`,
    spark: (call) =>
      withPattern(call, (found) =>
        term(`(${call.args[0]!.sql} rlike ${sparkText(`\\A(?:${found})\\z`)})`, 'boolean'),
      ),
  },
  regexp_extract: {
    arity: [2, 3],
    form: `regexp_extract(text, 'pattern', <group>)`,
    note: 'without a group the whole match; an empty text where nothing matches',
    spark: (call) =>
      withPattern(call, (found) => {
        const group = call.nodes.length === 2 ? 0 : number(call, 2);
        return group === null
          ? call.refuse({
              found: 'regexp_extract',
              because: 'the group must be known',
              portable: 'a literal group',
            })
          : term(`regexp_extract(${call.args[0]!.sql}, ${sparkText(found)}, ${group})`, 'text');
      }),
  },
  regexp_replace: {
    arity: [3, 4],
    form: `regexp_replace(text, 'pattern', 'by', 'g')`,
    note: `without 'g' only for patterns that match once`,
    spark: replaced,
  },
  // Numbers
  abs: numeric('abs(number)'),
  ceil: numeric('ceil(number)'),
  floor: numeric('floor(number)'),
  round: {
    arity: [1, 2],
    form: 'round(number, <digits>)',
    note: 'half away from zero; digits of decimals only',
    spark: rounded,
  },
  greatest: { ...same('greatest(a, b, ...)', [2, 100], 'unknown'), note: 'leaves nulls out' },
  least: { ...same('least(a, b, ...)', [2, 100], 'unknown'), note: 'leaves nulls out' },
  // Nulls
  coalesce: {
    arity: [1, 100],
    form: 'coalesce(a, b, ...)',
    spark: (call) => {
      const types = new Set(call.args.map((each) => each.type));
      const type = types.size === 1 ? [...types][0]! : 'unknown';
      return term(
        `coalesce(${list(call)})`,
        type,
        call.args.every((each) => each.whole === true),
      );
    },
  },
  nullif: {
    arity: [2, 2],
    form: 'nullif(a, b)',
    spark: (call) => term(`nullif(${list(call)})`, call.args[0]!.type, call.args[0]!.whole === true),
  },
  // Dates and timestamps
  year: same('year(date)', 1, 'int'),
  quarter: same('quarter(date)', 1, 'int'),
  month: same('month(date)', 1, 'int'),
  day: same('day(date)', 1, 'int'),
  hour: same('hour(timestamp)', 1, 'int'),
  minute: same('minute(timestamp)', 1, 'int'),
  second: { ...same('second(timestamp)', 1, 'int'), note: 'whole seconds' },
  date_diff: {
    arity: [3, 3],
    form: `date_diff('day' | 'month' | 'year', earlier, later)`,
    spark: dateDifference,
  },
  date_trunc: { arity: [2, 2], form: `date_trunc('month', x)`, note: 'gives a timestamp', spark: truncated },
  last_day: same('last_day(date)', 1, 'date'),
  make_date: same('make_date(year, month, day)', 3, 'date'),
  // Lists and JSON
  array_length: same('array_length(list)', 1, 'int', 'array_size'),
  array_to_string: {
    ...same('array_to_string(list, separator)', 2, 'text', 'array_join'),
    note: 'leaves nulls out',
  },
  list_contains: { arity: [2, 2], form: 'list_contains(list, item)', spark: contained },
  split: {
    arity: [2, 2],
    form: `split(text, '<separator>')`,
    note: 'the separator is a text, not a pattern',
    spark: splitText,
  },
  to_json: { ...same('to_json(list of text)', 1, 'text'), note: 'of lists of text' },
  // Aggregates
  count: {
    arity: [0, 1],
    form: 'count(*), count(x), count(distinct x)',
    aggregate: true,
    spark: (given) => {
      const call = filtered(given);
      const what = call.args.length === 0 ? '*' : `${call.distinct ? 'distinct ' : ''}${call.args[0]!.sql}`;
      return aggregated(call, `count(${what})`, 'int');
    },
  },
  sum: {
    ...aggregate('sum(x)', (argument) => argument),
    note: 'of whole numbers and decimals',
    spark: (given) => {
      const call = filtered(given);
      const [value] = given.args as [Term];
      if (value.type === 'double')
        return given.refuse({
          found: 'sum of doubles',
          because: 'the order of the rows decides its last digits',
          portable: 'sum of decimals',
        });
      const argument = refusingTypes(value, floats, 'sum of doubles', call.args[0]!.sql);
      return aggregated(call, `sum(${call.distinct ? 'distinct ' : ''}${argument})`, value.type);
    },
  },
  min: { ...aggregate('min(x)', (argument) => `min(${argument})`), spark: (call) => extreme('min', call) },
  max: { ...aggregate('max(x)', (argument) => `max(${argument})`), spark: (call) => extreme('max', call) },
  bool_and: { ...aggregate('bool_and(x)', String), spark: (call) => extreme('bool_and', call) },
  bool_or: { ...aggregate('bool_or(x)', String), spark: (call) => extreme('bool_or', call) },
  // Windows
  row_number: windowOnly('row_number()', [0, 0]),
  rank: windowOnly('rank()', [0, 0]),
  dense_rank: windowOnly('dense_rank()', [0, 0]),
  ntile: windowOnly('ntile(count)', [1, 1]),
  lag: valueAt('lag(x, offset, default)', [1, 3]),
  lead: valueAt('lead(x, offset, default)', [1, 3]),
  first_value: valueAt('first_value(x)', [1, 1]),
  last_value: valueAt('last_value(x)', [1, 1]),
};

function extreme(name: string, given: Call): Term {
  const call = filtered(given);
  return aggregated(call, `${name}(${call.args[0]!.sql})`, given.args[0]!.type);
}
