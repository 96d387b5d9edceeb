import type { Notifier } from '../ports/notifier.ts';
import { temporalUiLink } from './temporal-ui.ts';

/** Adds to whatever is told of a run where to look at it: `link` in the context, and a last line of the message. */
export function linkedNotifier(notifier: Notifier, uiUrl: string | null, namespace: string): Notifier {
  if (uiUrl === null) return notifier;
  const { channels } = notifier;
  const linked = [...(channels ?? [])].map(
    ([name, each]) => [name, linkedNotifier(each, uiUrl, namespace)] as const,
  );
  return {
    ...(channels === undefined ? {} : { channels: new Map(linked) }),
    notify: (notification, options) => {
      const { run, workflow } = notification.context;
      if (typeof run !== 'string' || typeof workflow !== 'string')
        return notifier.notify(notification, options);
      const link = temporalUiLink(uiUrl, namespace, { workflowId: workflow, runId: run });
      const message = `${notification.message}\n${link}`;
      return notifier.notify(
        { ...notification, message, context: { ...notification.context, link } },
        options,
      );
    },
  };
}
