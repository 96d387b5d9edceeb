import { setTimeout as delay } from 'node:timers/promises';
import { RetryableError } from '../ports/errors.ts';
import type { BackfillRecord } from '../ports/backfill.ts';
import type { Ledger } from '../ports/ledger.ts';
import { backfillDisplay, type BackfillView } from './backfill-view.ts';
import type { Cli } from './cli.ts';

const lookEveryMs = 300;
/** A ledger that died is started again by the stack; the backfill knows nothing of it. */
const outageMs = 90_000;
const keptEndings = 50;

async function look(ledger: Ledger, backfillId: string): Promise<BackfillView | null> {
  const backfill = await ledger.backfill(backfillId);
  if (backfill === null) return null;
  const [active, latest] = await Promise.all([
    ledger.backfillIntervals(backfillId, { states: ['running'] }),
    ledger.backfillIntervals(backfillId, {
      states: ['success', 'failed', 'cancelled'],
      latest: true,
      limit: keptEndings,
    }),
  ]);
  return { backfill, active, latest };
}

/** Waits until the ledger says `until` of the backfill, which is not in it before a worker has begun it; null once interrupted or after `withinMs`. */
export async function awaitBackfill(
  cli: Cli,
  ledger: Ledger,
  backfillId: string,
  until: (backfill: BackfillRecord) => boolean,
  withinMs: number,
): Promise<BackfillRecord | null> {
  for (
    const giveUpAt = Date.now() + withinMs;
    Date.now() < giveUpAt && !cli.signal.aborted;
    await delay(50)
  ) {
    const backfill = await ledger.backfill(backfillId);
    if (backfill !== null && until(backfill)) return backfill;
  }
  return null;
}

/** Shows a backfill until it has ended. An interrupt leaves it to whoever runs the stack. */
export async function followBackfill(cli: Cli, ledger: Ledger, backfillId: string): Promise<BackfillRecord> {
  const display = backfillDisplay(cli.note);
  let lastHeardAt = Date.now();
  try {
    for (;;) {
      cli.signal.throwIfAborted();
      try {
        const view = await look(ledger, backfillId);
        lastHeardAt = Date.now();
        if (view !== null) display.show(view);
        if (view !== null && view.backfill.endedAt !== null) return view.backfill;
      } catch (error) {
        if (!(error instanceof RetryableError) || Date.now() - lastHeardAt > outageMs) throw error;
      }
      await delay(lookEveryMs, undefined, { signal: cli.signal }).catch(() => undefined);
    }
  } finally {
    display.end();
  }
}
