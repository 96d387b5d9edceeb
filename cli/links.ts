import type { RunHandle } from '../workers/client.ts';
import { temporalUiLink } from '../workers/temporal-ui.ts';
import type { Session } from './session.ts';

function place(session: Session): { readonly ui: string; readonly namespace: string } | null {
  const { temporalUi } = session.config;
  return temporalUi === null
    ? null
    : { ui: temporalUi, namespace: session.env['TEMPORAL_NAMESPACE'] ?? 'default' };
}

/** The page of a run or a backfill in the Temporal UI; null when no UI is known. */
export function linkTo(session: Session, { workflowId, runId }: RunHandle): string | null {
  const found = place(session);
  return found === null ? null : temporalUiLink(found.ui, found.namespace, { workflowId, runId });
}

/** The Temporal UI's list of what a query over search attributes finds. */
export function listLink(session: Session, query: string): string | null {
  const found = place(session);
  if (found === null) return null;
  return `${found.ui.replace(/\/$/, '')}/namespaces/${encodeURIComponent(found.namespace)}/workflows?query=${encodeURIComponent(query)}`;
}
