import type { EmulatorCalls } from './emulator-calls.ts';

export type EndState = 'SUCCEEDED' | 'FAILED' | 'STOPPED' | 'TIMEOUT' | 'ERROR';

export interface EndedRun {
  readonly jobName: string;
  readonly jobRunId: string;
  readonly state: EndState;
  readonly error: string | null;
}

const severities = { SUCCEEDED: 'INFO', STOPPED: 'INFO', TIMEOUT: 'WARN', FAILED: 'ERROR', ERROR: 'ERROR' };

function message({ jobName, jobRunId, state, error }: EndedRun): string {
  const said = {
    SUCCEEDED: 'Job run succeeded',
    STOPPED: 'Job run stopped',
    TIMEOUT: 'Job run timed out',
    FAILED: `JobName:${jobName} and JobRunId:${jobRunId} failed to execute with exception ${error}`,
    ERROR: `JobName:${jobName} and JobRunId:${jobRunId} failed to execute with exception ${error}`,
  };
  return said[state];
}

/** Puts "Glue Job State Change" on the default bus, in the form of AWS's documentation, so that rules deliver it. */
export async function sendJobEvent(emulator: EmulatorCalls, token: string, run: EndedRun): Promise<void> {
  const { jobName, jobRunId, state } = run;
  await emulator.call('AWSEvents.PutEvents', {
    BridgeToken: token,
    Entries: [
      {
        Source: 'aws.glue',
        DetailType: 'Glue Job State Change',
        Resources: [],
        Detail: JSON.stringify({
          jobName,
          severity: severities[state],
          state,
          jobRunId,
          message: message(run),
        }),
      },
    ],
  });
}
