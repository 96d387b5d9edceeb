import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A home in a new folder with a space in its name, which every account can enter: as root, Postgres runs as another one. */
export function homeFolder(): { readonly home: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'ingot home '));
  chmodSync(folder, 0o755);
  return { home: join(folder, '.ingot'), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
