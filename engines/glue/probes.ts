import {
  BatchGetPartitionCommand,
  BatchStopJobRunCommand,
  GetCrawlerCommand,
  GetDatabaseCommand,
  GetDatabasesCommand,
  GetJobCommand,
  GetJobRunCommand,
  GetJobRunsCommand,
  GetPartitionsCommand,
  GetTableCommand,
  GetTablesCommand,
  GlueClient,
} from '@aws-sdk/client-glue';
import { type AwsOptions, clientOptions } from '../aws/client-options.ts';
import type { Probe } from '../aws/probe.ts';

export interface GlueProbes {
  readonly probes: Readonly<Record<string, Probe>>;
  close(): void;
}

/** Of jobs, crawlers and tables that are not there, except for the job of that name. By IAM action. */
export function glueProbes(options: AwsOptions, prefix: string, job: string): GlueProbes {
  const glue = new GlueClient(clientOptions(options));
  const DatabaseName = `${prefix}ingot_doctor`;
  const [TableName, Name] = ['ingot_doctor', `${prefix}ingot-doctor`];
  return {
    probes: {
      'glue:GetJob': () => glue.send(new GetJobCommand({ JobName: job })),
      'glue:GetJobRun': () => glue.send(new GetJobRunCommand({ JobName: job, RunId: 'jr_ingot_doctor' })),
      'glue:GetJobRuns': () => glue.send(new GetJobRunsCommand({ JobName: job, MaxResults: 1 })),
      'glue:BatchStopJobRun': () =>
        glue.send(new BatchStopJobRunCommand({ JobName: job, JobRunIds: ['jr_ingot_doctor'] })),
      'glue:GetDatabases': () => glue.send(new GetDatabasesCommand({ MaxResults: 1 })),
      'glue:GetDatabase': () => glue.send(new GetDatabaseCommand({ Name: DatabaseName })),
      'glue:GetTable': () => glue.send(new GetTableCommand({ DatabaseName, Name: TableName })),
      'glue:GetTables': () => glue.send(new GetTablesCommand({ DatabaseName, MaxResults: 1 })),
      'glue:GetPartitions': () =>
        glue.send(new GetPartitionsCommand({ DatabaseName, TableName, MaxResults: 1 })),
      'glue:BatchGetPartition': () =>
        glue.send(
          new BatchGetPartitionCommand({
            DatabaseName,
            TableName,
            PartitionsToGet: [{ Values: ['ingot-doctor'] }],
          }),
        ),
      'glue:GetCrawler': () => glue.send(new GetCrawlerCommand({ Name })),
    },
    close: () => glue.destroy(),
  };
}
