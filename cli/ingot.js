#!/usr/bin/env node
// Runs under any Node ≥ 18: the product needs Node 24, which `npm ci` has put into node_modules.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  await import('./ingot.ts');
} else {
  const node = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  if (!existsSync(node)) {
    process.stderr.write(
      `expected Node 24, or the one that npm ci installs; found Node ${process.versions.node} and no ${node}. Run npm ci first.\n`,
    );
    process.exit(1);
  }
  // The channel tells the child when this process dies, however it dies.
  const child = spawn(
    node,
    [fileURLToPath(new URL('./ingot.js', import.meta.url)), ...process.argv.slice(2)],
    {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, INGOT_RELAYED: '1' },
    },
  );
  // The terminal's Ctrl-C reaches the child by itself; other signals are passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
