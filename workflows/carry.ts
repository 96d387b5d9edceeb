import { proxyLocalActivities } from '@temporalio/workflow';
import {
  earlierRevision,
  packProgress,
  textParts,
  unpackEarlier,
  unpackPlan,
  unpackProgress,
} from '../dag/carried.ts';
import type { Plan } from '../dag/plan.ts';
import type { RunProgress } from '../dag/reducer.ts';
import type { EarlierRun } from '../dag/resume.ts';
import type { CarriedRun, RunSteps } from '../ports/run-steps.ts';
import { localRetryThresholdMs, stepRetries, stepTimeoutMs } from './policies.ts';

/** Longer progress than this, as text, is parked in the ledger in place of being part of the next execution's input. */
const inputLength = 256 * 1024;

const steps = proxyLocalActivities<
  Pick<RunSteps, 'ingot.readPlan' | 'ingot.parkProgress' | 'ingot.readProgress'>
>({
  startToCloseTimeout: stepTimeoutMs,
  localRetryThreshold: localRetryThresholdMs,
  retry: stepRetries,
});

export async function loadPlan(hash: string): Promise<Plan> {
  const first = await steps['ingot.readPlan']({ hash, part: 0 });
  const texts = [first.text];
  for (let part = 1; part < first.parts; part += 1)
    texts.push((await steps['ingot.readPlan']({ hash, part })).text);
  return unpackPlan(texts.join(''));
}

/** Makes progress ready to be carried into the execution that will be `revision`. */
export async function packUp(
  runId: string,
  revision: number,
  progress: RunProgress,
): Promise<CarriedRun['progress']> {
  const text = packProgress(progress);
  if (text.length <= inputLength) return { text };
  const parts = textParts(text);
  for (const [part, each] of parts.entries())
    await steps['ingot.parkProgress']({ runId, revision, part, text: each });
  return { parts: parts.length };
}

export async function unpack(runId: string, { revision, progress }: CarriedRun): Promise<RunProgress> {
  if ('text' in progress) return unpackProgress(progress.text);
  return unpackProgress(await readParked(runId, revision, progress.parts));
}

/** How far the run came that `runId` carries on from. */
export async function unpackEarlierRun(
  runId: string,
  earlier: EarlierRun | { readonly parts: number },
): Promise<EarlierRun> {
  return 'parts' in earlier
    ? unpackEarlier(await readParked(runId, earlierRevision, earlier.parts))
    : earlier;
}

async function readParked(runId: string, revision: number, parts: number): Promise<string> {
  const texts: string[] = [];
  for (let part = 0; part < parts; part += 1)
    texts.push(await steps['ingot.readProgress']({ runId, revision, part }));
  return texts.join('');
}
