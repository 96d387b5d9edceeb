import { writeFileSync } from 'node:fs';

/** The least a worker can be: says that it is ready, ends when asked. */
const readyFile = process.argv[process.argv.indexOf('--ready-file') + 1];
if (readyFile === undefined) throw new Error('expected --ready-file');
writeFileSync(readyFile, String(process.pid));
setInterval(() => {}, 60_000);
process.once('SIGTERM', () => process.exit(0));
