import { expect, test } from 'vitest';
import type { Notification } from '../../ports/notifier.ts';
import { linkedNotifier } from '../../workers/linked-notifier.ts';

const alert: Notification = {
  key: 'r1/alert',
  topic: 'MiniPaymentsAlerts',
  severity: 'error',
  title: 'payments 2026-01-01 failed',
  message: 'silver: a rule failed',
  context: { run: 'r1', workflow: 'payments-2026-01-02T00:00:00Z', dag: 'payments' },
};

async function told(notification: Notification, uiUrl: string | null): Promise<Notification> {
  const heard: Notification[] = [];
  const notifier = { notify: async (each: Notification) => void heard.push(each) };
  await linkedNotifier(notifier, uiUrl, 'default').notify(notification);
  return heard[0]!;
}

test('what is told of a run says where to look at it', async () => {
  const link =
    'http://127.0.0.1:8233/namespaces/default/workflows/payments-2026-01-02T00%3A00%3A00Z/r1/history';
  expect(await told(alert, 'http://127.0.0.1:8233')).toEqual({
    ...alert,
    message: `silver: a rule failed\n${link}`,
    context: { ...alert.context, link },
  });
});

test('without a Temporal UI, or a run, it is passed on as it is', async () => {
  expect(await told(alert, null)).toEqual(alert);
  const other = { ...alert, context: {} };
  expect(await told(other, 'http://127.0.0.1:8233')).toEqual(other);
});
