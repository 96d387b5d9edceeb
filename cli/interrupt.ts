const codes: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** The reason of the signal that `onInterrupt` aborts. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly code: number;
  constructor(signal: string) {
    super(`interrupted by ${signal}`);
    this.code = codes[signal] ?? 1;
  }
}

/** npm passes Ctrl-C on to a process that the terminal has told already: within this time it is the same one. */
const sameKeyMs = 300;

/**
 * The first Ctrl-C (SIGTERM, SIGHUP) asks the command to end in order; the second ends it at once.
 * Then the guards of its programs end those.
 */
export function onInterrupt(): AbortSignal {
  const stop = new AbortController();
  let firstAt = 0;
  const interrupt = (signal: string): void => {
    const reason = new Interrupted(signal);
    if (stop.signal.aborted && Date.now() - firstAt > sameKeyMs) process.exit(reason.code);
    if (stop.signal.aborted) return;
    firstAt = Date.now();
    stop.abort(reason);
  };
  for (const signal of Object.keys(codes)) process.on(signal, interrupt);
  // Started through the shim under an older Node: its end is ours.
  if (process.env['INGOT_RELAYED'] === '1' && process.channel !== undefined) {
    delete process.env['INGOT_RELAYED'];
    process.channel?.unref();
    process.on('disconnect', () => interrupt('SIGHUP'));
  }
  return stop.signal;
}
