import type { ClusterUse, EnginePreference } from './task-context.ts';

/** Where a model computes, and why: kept with what it publishes. */
export type EngineChoice = {
  readonly on: 'worker' | 'cluster';
  /** Null where there was nothing to choose. */
  readonly reason: string | null;
};

const mib = 1024 ** 2;

function sizeText(bytes: number): string {
  return bytes < mib ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / mib).toFixed(1)} MiB`;
}

/**
 * The model's own word, else the configuration's; `auto` goes by the bytes of the inputs as the ledger knows them: a small day should not wait
 * minutes for a cluster, a large one should not go through one machine.
 */
export function chooseEngine(
  asked: EnginePreference | null,
  inputBytes: number,
  use: ClusterUse | undefined,
): EngineChoice {
  if (use === undefined)
    return {
      on: 'worker',
      reason: asked === 'spark' ? 'the model says spark, but there is no cluster' : null,
    };
  const preference = asked ?? use.preference;
  const whose = asked === null ? 'the configuration' : 'the model';
  if (preference === 'duckdb') return { on: 'worker', reason: `${whose} says duckdb` };
  if (preference === 'spark') return { on: 'cluster', reason: `${whose} says spark` };
  const found = `inputs of ${sizeText(inputBytes)}`;
  const limit = sizeText(use.fromBytes);
  return inputBytes >= use.fromBytes
    ? { on: 'cluster', reason: `auto: ${found}, at least ${limit}` }
    : { on: 'worker', reason: `auto: ${found}, less than ${limit}` };
}
