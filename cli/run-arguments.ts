import type { RunnableDag } from '../activities/boundary.ts';
import { intervalForDate, NoIntervalError, type DataInterval } from '../dag/interval.ts';
import type { JsonObject } from '../dag/json.ts';
import { resolveParamTexts } from '../dag/params.ts';
import { namedValues } from './arguments.ts';
import { UsageError } from './cli.ts';

/** The interval of `--date`. */
export function intervalOf(dag: RunnableDag, date: string): DataInterval {
  try {
    return intervalForDate(dag.plan, date);
  } catch (error) {
    if (error instanceof NoIntervalError || error instanceof RangeError)
      throw new UsageError(`--date: ${error.message}`);
    throw error;
  }
}

/** The params given with `--param name=value`; every problem of them at once. */
export function paramsOf(dag: RunnableDag, given: readonly string[]): JsonObject {
  const texts = namedValues(given);
  const { values, problems } = resolveParamTexts(dag.plan, texts);
  if (problems.length > 0)
    throw new UsageError(problems.map((each) => `${each.place}: ${each.message}`).join('\n'));
  return Object.fromEntries(Object.keys(texts).map((name) => [name, values[name]!]));
}
