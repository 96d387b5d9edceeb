import { pc } from './colours.ts';
import type { AlertState } from '../ports/alert-steps.ts';
import type { Ledger } from '../ports/ledger.ts';
import { instant } from './format.ts';
import { textTable } from './text-table.ts';

const most = 1000;

export interface RunAlert {
  /** Unique within the run: `failed`, `deadline`, `task/<task>/retry/<attempt>`. */
  readonly name: string;
  readonly what: string;
  readonly task: string | null;
  readonly raisedAt: string;
  readonly deliveries: readonly {
    readonly channel: string;
    readonly state: AlertState;
    readonly at: string | null;
    /** Why it was given up. */
    readonly message: string | null;
  }[];
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** What was told of a run, and to whom, oldest first. */
export async function alertsOfRun(ledger: Ledger, runId: string): Promise<readonly RunAlert[]> {
  const events = await ledger.events({ keyPrefix: `alert/${runId}/`, limit: most });
  const byKey = new Map(events.map((event) => [event.key, event]));
  return events
    .filter(({ kind }) => kind === 'alert_raised')
    .toReversed()
    .map(({ key, at, payload }) => ({
      name: textOf(payload['alert']) ?? key,
      what: textOf(payload['what']) ?? '',
      task: textOf(payload['task']),
      raisedAt: at,
      deliveries: (payload['channels'] as readonly string[]).map((channel) => {
        const end = byKey.get(`${key}/to/${channel}`);
        const state = end === undefined ? 'pending' : end.kind === 'alert_delivered' ? 'delivered' : 'failed';
        return { channel, state, at: end?.at ?? null, message: textOf(end?.payload['message']) };
      }),
    }));
}

const colours: Readonly<Record<AlertState, (text: string) => string>> = {
  delivered: pc.green,
  pending: pc.yellow,
  failed: pc.red,
};

export function alertTable(alerts: readonly RunAlert[]): string {
  const rows = alerts.flatMap(({ what, task, raisedAt, deliveries }) =>
    deliveries.map(({ channel, state, message }) => [
      `${what.replaceAll('_', ' ')}${task === null ? '' : ` ${task}`}`,
      instant(raisedAt),
      channel,
      colours[state](state),
      message ?? (state === 'pending' ? 'is tried again until it is accepted' : ''),
    ]),
  );
  return textTable(['ALERT', 'RAISED', 'TO', 'STATE', ''], rows);
}
