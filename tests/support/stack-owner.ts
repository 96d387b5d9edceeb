import { join } from 'node:path';
import { openStack } from '../../workers/stack/stack.ts';

/** A process that owns a stack until it is killed: `stack-owner.ts <home>`; prints one JSON line when it is ready. */
const [home] = process.argv.slice(2);
if (home === undefined) throw new Error('expected a home folder');
const stack = await openStack({
  home,
  env: process.env,
  parts: { temporal: true, postgres: true },
  retentionDays: 1,
  worker: [process.execPath, join(import.meta.dirname, 'ready-worker.ts')],
  say: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify({ owned: stack.owned, env: stack.env })}\n`);
process.once('SIGTERM', () => void stack.close().then(() => process.exit(0)));
setInterval(() => {}, 60_000);
