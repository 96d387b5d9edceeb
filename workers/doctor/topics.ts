import type { AlertPlan } from '../../dag/alerts.ts';
import type { Definitions } from '../definitions.ts';

function ofAlerts(alerts: AlertPlan | undefined): readonly string[] {
  const rules = [alerts?.onFailure, alerts?.onSuccess, alerts?.onRetry, alerts?.deadline];
  return rules.flatMap((rule) => (rule === undefined ? [] : [rule.topic]));
}

/** Every topic that an alert or a notify task of a DAG tells, with the DAGs that do. */
export function topicsOf(definitions: Definitions): readonly { topic: string; users: readonly string[] }[] {
  const users = new Map<string, Set<string>>();
  for (const { id, plan } of definitions.values()) {
    const told = plan.tasks.flatMap(({ facts, alerts }) => [
      ...(facts['kind'] === 'notify' && typeof facts['topic'] === 'string' ? [facts['topic']] : []),
      ...ofAlerts(alerts),
    ]);
    for (const topic of [...ofAlerts(plan.alerts), ...told])
      users.set(topic, (users.get(topic) ?? new Set()).add(id));
  }
  return [...users]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([topic, dags]) => ({ topic, users: [...dags].sort() }));
}
