import type { Problem } from './problems.ts';
import { problem, shown } from './problems.ts';

/** Names of the workflows and activities that are not a DAG's or a task's own. */
const reserved = new Set([
  'ingot',
  'default',
  'run-dag',
  'runDag',
  'tick',
  'backfill',
  'pool',
  'asset-feed',
  'assetFeed',
  'reconciler',
]);

/** What is wrong with a task's or group's own id. Ids may contain dots: a group's id is the prefix of its tasks' ids. */
export function taskIdProblem(place: string, id: string): Problem | null {
  return idProblem(
    place,
    id,
    /^[A-Za-z_][A-Za-z0-9_.-]*$/,
    'letters, digits, _, . and -, beginning with a letter or _',
  );
}

/** What is wrong with a DAG's id. It has no dot, so that `<dag>.<task>` names one task only. */
export function dagIdProblem(place: string, id: string): Problem | null {
  return idProblem(
    place,
    id,
    /^[A-Za-z_][A-Za-z0-9_-]*$/,
    'letters, digits, _ and -, beginning with a letter or _',
  );
}

/** More than any pool needs, and far from the limits of a whole number. */
export const maxPoolSlots = 1_000_000;

/** What is wrong with the name of a pool. */
export function poolNameProblem(place: string, name: string): Problem | null {
  if (typeof name === 'string' && /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(name)) return null;
  return problem(
    place,
    'a pool name of at most 100 letters, digits, _, . and -',
    shown(name),
    'Rename the pool.',
  );
}

function idProblem(place: string, id: string, pattern: RegExp, allowed: string): Problem | null {
  if (typeof id !== 'string' || !pattern.test(id) || id.length > 100)
    return problem(place, `an id of at most 100 ${allowed}`, shown(id), 'Rename it.');
  if (reserved.has(id) || id.startsWith('__'))
    return problem(
      place,
      'an id that is not reserved',
      shown(id),
      'It means something to Ingot or Temporal: choose another.',
    );
  return null;
}
