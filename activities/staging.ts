import { TerminalError } from '../ports/errors.ts';
import type { Manifest } from '../ports/ledger.ts';
import type { StagedManifest } from '../ports/run-steps.ts';
import type { TaskContext } from './task-context.ts';

/** A longer manifest goes to the object store and only its key through the run's history, which holds it twice. */
const inlineBytes = 64 * 1024;

function label({ outputs }: Manifest): string {
  const tables = Map.groupBy(outputs, (output) => output.table);
  return [...tables]
    .map(([table, parts]) => `${table} (${parts.length} partition${parts.length === 1 ? '' : 's'})`)
    .join(', ');
}

/** What the body handed over, in the form in which it travels to the publish step; null when there is nothing to publish. */
export async function stageManifest(
  staged: readonly Manifest[],
  context: TaskContext,
): Promise<StagedManifest | null> {
  const [manifest] = staged;
  if (manifest === undefined) return null;
  if (staged.length > 1)
    throw new TerminalError({
      place: `${context.dagId}.${context.taskId}`,
      expected: 'one call of stage() in an attempt',
      found: `${staged.length}`,
      remedy: 'Put all outputs into one manifest: they are published together or not at all.',
    });
  const text = JSON.stringify(manifest);
  if (text.length <= inlineBytes) return { label: label(manifest), content: { manifest } };
  const key = `${context.attemptPrefix('_manifests')}manifest.json`;
  await context.ports.objects.put(key, Buffer.from(text), { signal: context.signal });
  return { label: label(manifest), content: { key } };
}
