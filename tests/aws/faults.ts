import type { Fault, FaultEffect } from './bridge/fault-list.ts';
import type { AwsBed } from './test-bed.ts';

export type EndedJobState = 'SUCCEEDED' | 'FAILED' | 'STOPPED' | 'TIMEOUT' | 'ERROR';

/** Makes things go wrong in the test bed, for the calls that have `match` in their address or body. */
export interface Faults {
  /** The next `times` calls of the action (`glue:StartJobRun`, `s3:GetObject`, `athena:*`) meet this. */
  inject(action: string, effect: FaultEffect, times?: number): Promise<void>;
  /** The next calls fail with the service's error; `ThrottlingException` with status 400 by default. */
  fail(
    action: string,
    error?: { code?: string; status?: number; message?: string },
    times?: number,
  ): Promise<void>;
  /** Takes back what was injected with this `match`. */
  clear(): Promise<void>;
  /** How many calls of the action with `match` there were since the test run began, those that met a fault included. */
  calls(action: string): Promise<number>;
  /** Ends a Glue job run from outside, as an operator or Glue itself would. */
  endJobRun(jobRunId: string, state: EndedJobState, message?: string): Promise<void>;
  /** Glue knows the run no longer. */
  forgetJobRun(jobRunId: string): Promise<void>;
  /** Crawls whose crawler's name and queries whose SQL has `match` stay RUNNING until they are released or stopped. */
  hold(): Promise<void>;
  release(): Promise<void>;
}

export function faultsOf({ endpoint }: Pick<AwsBed, 'endpoint'>, match: string): Faults {
  const post = async (control: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${endpoint}/_bridge/${control}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the test bed refuses ${control}: ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  const inject = async (action: string, effect: FaultEffect, times = 1): Promise<void> => {
    await post('add-fault', { action, match, times, effect } satisfies Fault);
  };
  return {
    inject,
    fail: (action, { code = 'ThrottlingException', status = 400, message = 'Rate exceeded' } = {}, times) =>
      inject(action, { kind: 'error', code, status, message }, times),
    clear: async () => void (await post('clear-faults', { match })),
    calls: async (action) => Number((await post('count-calls', { action, match }))['count']),
    endJobRun: async (jobRunId, state, message) =>
      void (await post('end-job-run', { jobRunId, state, message })),
    hold: async () => void (await post('hold', { match })),
    release: async () => void (await post('release', { match })),
    forgetJobRun: async (jobRunId) => void (await post('forget-job-run', { jobRunId })),
  };
}
