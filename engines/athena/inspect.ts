import { AthenaClient, GetQueryExecutionCommand, GetWorkGroupCommand } from '@aws-sdk/client-athena';
import { type AwsOptions, clientOptions } from '../aws/client-options.ts';
import { awsError } from '../aws/errors.ts';
import type { Probe } from '../aws/probe.ts';
import { athenaErrors } from './errors.ts';

export interface WorkgroupFacts {
  readonly isEnabled: boolean;
  /** Where its queries write, if it does not let the client say. */
  readonly enforcedOutput: string | null;
  /** Bytes after which it stops a query. */
  readonly cutoffBytes: number | null;
}

export interface AthenaInspection {
  workgroup(): Promise<WorkgroupFacts>;
  /** `QUEUED`, `RUNNING`, `SUCCEEDED`, `FAILED` or `CANCELLED`. */
  queryState(id: string): Promise<string>;
  readonly probes: Readonly<Record<string, Probe>>;
  close(): void;
}

export function inspectAthena(options: AwsOptions, workgroup: string): AthenaInspection {
  const athena = new AthenaClient(clientOptions(options));
  const execution = (id: string) => athena.send(new GetQueryExecutionCommand({ QueryExecutionId: id }));
  return {
    workgroup: async () => {
      try {
        const { WorkGroup } = await athena.send(new GetWorkGroupCommand({ WorkGroup: workgroup }));
        const { EnforceWorkGroupConfiguration: isEnforced, ...configuration } =
          WorkGroup?.Configuration ?? {};
        const output = configuration.ResultConfiguration?.OutputLocation;
        return {
          isEnabled: WorkGroup?.State !== 'DISABLED',
          enforcedOutput: isEnforced === true ? (output ?? null) : null,
          cutoffBytes: configuration.BytesScannedCutoffPerQuery ?? null,
        };
      } catch (error) {
        // Athena's word for a work group that is not there.
        const isAbsent =
          error instanceof Error && /workgroup.*(not found|does not exist)/i.test(error.message);
        if (isAbsent) error.name = 'ResourceNotFoundException';
        throw awsError(error, athenaErrors, 'athena:GetWorkGroup', `workgroup ${workgroup}`);
      }
    },
    queryState: async (id) => {
      try {
        return (await execution(id)).QueryExecution?.Status?.State ?? 'unknown';
      } catch (error) {
        throw awsError(error, athenaErrors, 'athena:GetQueryExecution', `query ${id}`);
      }
    },
    probes: { 'athena:GetQueryExecution': () => execution('00000000-0000-0000-0000-000000000000') },
    close: () => athena.destroy(),
  };
}
