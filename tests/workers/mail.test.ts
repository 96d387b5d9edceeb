import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startFleetWorker } from '../support/fleet.ts';
import { homeFolder } from '../support/home-folder.ts';
import { openMailServer } from '../support/mail-server.ts';
import { eventually } from '../support/processes.ts';
import { openBench } from '../workflows/harness.ts';

test('a run that fails on a worker configured with a mail server is mailed to everybody, once', async () => {
  await using bench = await openBench();
  await using server = await openMailServer();
  const { home, remove } = homeFolder();
  const { taskQueue, ledgerUrl } = bench;
  const env = {
    INGOT_DAGS: join(import.meta.dirname, '../support/mailed-dags.ts'),
    INGOT_SMTP_URL: server.url,
    INGOT_SMTP_FROM: 'Ingot <ingot@example.org>',
    INGOT_SMTP_TO: 'a@example.org,b@example.org',
  };
  const worker = await startFleetWorker({ home, taskQueue, ledgerUrl, env });
  try {
    const run = await bench.start('mailed');
    expect(await bench.result(run)).toMatchObject({ state: 'failed' });
    await eventually('the ledger to know of the mail', async () => {
      const events = await bench.ledger.events({ keyPrefix: `alert/${run.runId}/failed/to/email` });
      return events[0]?.kind === 'alert_delivered' || null;
    });
    expect(server.mails).toMatchObject([
      { from: 'ingot@example.org', to: ['a@example.org', 'b@example.org'] },
    ]);
    const { text } = server.mails[0]!;
    expect(text).toContain('Subject: [error] mailed 2026-01-01 failed');
    expect(text).toContain('broken: Error: the vault is empty');
    expect(text).toContain(run.runId);
  } finally {
    worker.child.kill('SIGKILL');
    await worker.end;
    remove();
  }
});
