import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionLike } from '@temporalio/client';
import { RetryableError, TerminalError } from '../ports/errors.ts';

/** By these, runs are found in Temporal's own lists. Wire format: workflows/search-attributes.ts sets them. */
export const searchAttributes = {
  IngotDag: 'KEYWORD',
  IngotLogicalDate: 'DATETIME',
  IngotRunType: 'KEYWORD',
  IngotState: 'KEYWORD',
  IngotPlanHash: 'KEYWORD',
  IngotBackfill: 'KEYWORD',
} as const;

type Services = Pick<ConnectionLike, 'operatorService' | 'workflowService'>;

const valueTypes = { KEYWORD: 2, DATETIME: 6 } as const;
const alreadyExists = 6;
const permissionDenied = 7;
const usableWithinMs = 30_000;

async function missing({ operatorService }: Services, namespace: string): Promise<string[]> {
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  return Object.keys(searchAttributes).filter((name) => customAttributes[name] === undefined);
}

function refused(namespace: string, names: readonly string[], cause: unknown): TerminalError {
  return new TerminalError(
    {
      place: `Temporal namespace ${namespace}`,
      expected: `the search attributes ${Object.keys(searchAttributes).join(', ')}`,
      found: `${names.join(', ')} missing, and no right to add them`,
      remedy: `Let somebody who may add them: ${names
        .map(
          (name) =>
            `temporal operator search-attribute create --name ${name} --type ${searchAttributes[name as keyof typeof searchAttributes] === 'KEYWORD' ? 'Keyword' : 'Datetime'}`,
        )
        .join('; ')}.`,
    },
    { cause },
  );
}

async function add(
  { operatorService }: Services,
  namespace: string,
  names: readonly string[],
): Promise<void> {
  const entries = names.map(
    (name) => [name, valueTypes[searchAttributes[name as keyof typeof searchAttributes]]] as const,
  );
  try {
    await operatorService.addSearchAttributes({ namespace, searchAttributes: Object.fromEntries(entries) });
  } catch (error) {
    const { code } = error as { code?: number };
    // Another worker was faster.
    if (code === alreadyExists) return;
    throw code === permissionDenied ? refused(namespace, names, error) : error;
  }
}

/** A server needs a while to take notice of a new attribute everywhere; until then a run that sets it would hang. */
async function untilUsable({ workflowService }: Services, namespace: string): Promise<void> {
  const query = Object.entries(searchAttributes)
    .map(([name, type]) => `${name} = '${type === 'KEYWORD' ? 'x' : '2026-01-01T00:00:00Z'}'`)
    .join(' and ');
  const giveUpAt = Date.now() + usableWithinMs;
  for (;;) {
    try {
      await workflowService.countWorkflowExecutions({ namespace, query });
      return;
    } catch (error) {
      if (Date.now() > giveUpAt)
        throw new RetryableError(
          {
            place: `Temporal namespace ${namespace}`,
            expected: `the new search attributes to be usable within ${usableWithinMs / 1000} s`,
            found: (error as Error).message,
            remedy: 'Start the worker again.',
          },
          { cause: error },
        );
      await delay(250);
    }
  }
}

/** Makes sure that the namespace has Ingot's search attributes, and returns once they can be used. May be repeated. */
export async function registerSearchAttributes(connection: Services, namespace: string): Promise<void> {
  const names = await missing(connection, namespace);
  if (names.length === 0) return;
  await add(connection, namespace, names);
  await untilUsable(connection, namespace);
}
