import pico from 'picocolors';

/** Colours are for a terminal. The library's own guess also colours whatever a CI server, which sets `CI`, reads from a pipe. */
function wanted({ NO_COLOR, FORCE_COLOR, TERM }: NodeJS.ProcessEnv): boolean {
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== '0';
  return process.stdout.isTTY === true && TERM !== 'dumb';
}

export const pc = pico.createColors(wanted(process.env));
