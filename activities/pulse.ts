import type { Context } from '@temporalio/activity';

const everyMs = 2000;

/** Shows that an attempt lives for as long as its worker does, whether or not the body says so itself. */
export interface Pulse extends Disposable {
  beat(this: void, note?: string): void;
  /** How long nothing could be shown because this thread was busy. */
  silentMs(this: void): number;
}

export function openPulse(activity: Context): Pulse {
  let note: string | undefined;
  let lastMs = performance.now();
  const send = (): void => {
    lastMs = performance.now();
    activity.heartbeat(note);
  };
  const clock = setInterval(send, everyMs);
  clock.unref();
  return {
    beat(text) {
      note = text ?? note;
      if (performance.now() - lastMs >= everyMs) send();
    },
    silentMs: () => performance.now() - lastMs,
    [Symbol.dispose]: () => clearInterval(clock),
  };
}
