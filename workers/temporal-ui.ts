import type { RunHandle } from './client.ts';

/** The run's page in the Temporal UI at `uiUrl`. */
export function temporalUiLink(uiUrl: string, namespace: string, { workflowId, runId }: RunHandle): string {
  const path = ['namespaces', namespace, 'workflows', workflowId, runId, 'history']
    .map(encodeURIComponent)
    .join('/');
  return `${uiUrl.replace(/\/$/, '')}/${path}`;
}
