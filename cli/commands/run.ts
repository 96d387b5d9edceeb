import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { createHash } from 'node:crypto';
import pc from 'picocolors';
import { TerminalError } from '../../ports/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { ExitError, UsageError, type Cli } from '../cli.ts';
import { dagNamed } from '../definitions.ts';
import { elapsed, stateText } from '../format.ts';
import { intervalOf, paramsOf } from '../run-arguments.ts';
import { runOnce } from '../run-once.ts';
import { withSession } from '../session.ts';

export interface RunFlags {
  readonly date: string;
  readonly input?: string;
  readonly param: readonly string[];
  readonly json?: boolean;
}

/** Copies a file of the user's into the store, under a name that says whose it is and what it holds; answers its key. */
async function storeInput(objects: ObjectStore, dagId: string, file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    if (!(await stat(file)).isFile()) throw new Error('it is not a file');
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    throw new TerminalError(
      {
        expected: 'a file that can be read',
        found: (error as Error).message,
        remedy: 'Correct --input.',
        place: file,
      },
      { cause: error },
    );
  }
  const key = `landing/${dagId}/input/${hash.digest('hex').slice(0, 16)}/${basename(file)}`;
  await objects.put(key, createReadStream(file) as AsyncIterable<Uint8Array>, { ifAbsent: true });
  return key;
}

export async function run(cli: Cli, dagId: string, flags: RunFlags): Promise<void> {
  const dag = await dagNamed(cli, dagId);
  const interval = intervalOf(dag, flags.date);
  if (flags.input !== undefined && dag.plan.params['input'] === undefined)
    throw new UsageError(`expected a DAG that takes --input (one with a param \`input\`); found ${dag.id}.`);
  const given = paramsOf(dag, flags.param);
  await withSession(cli, { temporal: true }, async (session) => {
    const { objects, ledger } = await session.readers();
    const params =
      flags.input === undefined ? given : { ...given, input: await storeInput(objects, dag.id, flags.input) };
    const result = await runOnce(cli, session, dag, interval, params);
    const record = await ledger.run(result.runId);
    if (flags.json) {
      const attempts = await ledger.attempts(result.runId);
      cli.print(
        JSON.stringify({
          runId: result.runId,
          workflowId: result.workflowId,
          state: result.state,
          message: result.message,
          link: result.link,
          run: record,
          attempts,
        }),
      );
    } else {
      cli.print(
        `${pc.bold(result.workflowId)}  ${stateText(result.state)}  ${elapsed(record?.startedAt ?? null, record?.endedAt ?? null)}  run ${result.runId}`,
      );
      if (result.message !== null) cli.print(result.message);
      if (result.link !== null && !session.stack?.owned) cli.print(result.link);
    }
    if (result.state !== 'success') throw new ExitError(1);
  });
}
