import { pc } from './colours.ts';
import type { Ledger } from '../ports/ledger.ts';
import { count } from './format.ts';

/** What one task of a run left as it was. */
interface Unchanged {
  readonly task: string;
  readonly partitions: number;
  /** `<table>/<partition>`; of many the first. */
  readonly named: readonly string[];
}

/** By task; of one that was tried again what its last attempt said. */
export async function unchangedOf(ledger: Ledger, runId: string): Promise<readonly Unchanged[]> {
  const events = await ledger.events({ keyPrefix: `unchanged/${runId}/`, limit: 10_000 });
  const newest = new Map<string, Unchanged>();
  for (const { payload } of events) {
    const told = payload as unknown as Unchanged;
    if (!newest.has(told.task)) newest.set(told.task, told);
  }
  return [...newest.values()].reverse();
}

const shown = 5;

export function unchangedText(unchanged: readonly Unchanged[]): string | null {
  if (unchanged.length === 0) return null;
  const lines = unchanged.map(({ task, partitions, named }) => {
    const more = partitions - Math.min(named.length, shown);
    const names = named.slice(0, shown).join(', ');
    const what = partitions === 1 ? 'partition' : 'partitions';
    return `  ${task}: ${count(partitions)} ${what}${names === '' ? '' : `: ${names}`}${more > 0 ? ` and ${count(more)} more; --json names them` : ''}`;
  });
  return [pc.dim('left alone as unchanged:'), ...lines].join('\n');
}
