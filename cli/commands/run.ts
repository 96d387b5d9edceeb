import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { createHash } from 'node:crypto';
import { pc } from '../colours.ts';
import { TerminalError } from '../../ports/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import { ExitError, UsageError, type Cli } from '../cli.ts';
import { dagNamed } from '../definitions.ts';
import { elapsed, stateText } from '../format.ts';
import { intervalOf, paramsOf } from '../run-arguments.ts';
import { runOnce } from '../run-once.ts';
import { withSession } from '../session.ts';
import { unchangedOf, unchangedText } from '../unchanged.ts';

export interface RunFlags {
  readonly date: string;
  readonly input?: string;
  readonly param: readonly string[];
  readonly skipUnchanged?: boolean;
  readonly json?: boolean;
}

function unreadable(file: string, error: Error): TerminalError {
  return new TerminalError(
    { expected: 'a file that can be read', found: error.message, remedy: 'Correct --input.', place: file },
    { cause: error },
  );
}

async function contentHash(file: string): Promise<string> {
  if (!(await stat(file)).isFile()) throw new Error('it is not a file');
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** The file's bytes, which fail at their end if they are no longer those the hash was made of. */
async function* unchanged(file: string, expected: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) {
    hash.update(chunk as Buffer);
    yield chunk as Buffer;
  }
  if (hash.digest('hex') === expected) return;
  throw new TerminalError({
    expected: 'a file that stays as it is while it is read',
    found: 'it changed',
    remedy: 'Run again when whoever writes it has finished.',
    place: file,
  });
}

/** Copies a file of the user's into the store, under a name that says whose it is and what it holds; answers its key. */
export async function storeInput(objects: ObjectStore, dagId: string, file: string): Promise<string> {
  const hash = await contentHash(file).catch((error: Error) => {
    throw unreadable(file, error);
  });
  const key = `landing/${dagId}/input/${hash.slice(0, 16)}/${basename(file)}`;
  await objects.put(key, unchanged(file, hash), { ifAbsent: true });
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
    const result = await runOnce(cli, session, dag, interval, params, flags.skipUnchanged === true);
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
      const left = unchangedText(await unchangedOf(ledger, result.runId));
      cli.print(
        `${pc.bold(result.workflowId)}  ${stateText(result.state)}  ${elapsed(record?.startedAt ?? null, record?.endedAt ?? null)}  run ${result.runId}`,
      );
      if (left !== null) cli.print(left);
      if (result.message !== null) cli.print(result.message);
      if (result.link !== null && !session.stack?.owned) cli.print(result.link);
    }
    if (result.state !== 'success') throw new ExitError(1);
  });
}
