import { inspectAthena } from '../../engines/athena/inspect.ts';
import { inspectTopics } from '../../engines/sns/inspect.ts';
import { openSqsMessageQueue } from '../../engines/sqs/message-queue.ts';
import { awsOptions } from '../aws-watching.ts';
import type { Config } from '../config.ts';
import { managedSecrets, resolveSecret, type SecretReference } from '../config/secret.ts';
import { sizeText } from '../config/setting-types.ts';
import { loadDefinitions } from '../definitions.ts';
import { failed, looked, note, ok, wrong, type Finding } from './finding.ts';
import { topicsOf } from './topics.ts';

export async function workgroupFinding(config: Config): Promise<Finding> {
  const what = 'Athena workgroup';
  const { workgroup, maxScannedBytes } = config;
  const athena = inspectAthena(awsOptions(config), workgroup);
  try {
    return await looked(what, async () => {
      const { isEnabled, enforcedOutput, cutoffBytes } = await athena.workgroup();
      if (!isEnabled) return wrong(what, `${workgroup} is disabled`, 'Enable it, or name another.');
      if (enforcedOutput !== null)
        return note(
          what,
          `${workgroup} writes results to ${enforcedOutput}, whatever Ingot says`,
          'Grant s3:GetObject and s3:PutObject there, or let clients choose.',
        );
      if (cutoffBytes === null)
        return note(
          what,
          `${workgroup} has no limit of its own: Ingot stops a query after ${sizeText(maxScannedBytes)}, looking every few seconds`,
          'Set BytesScannedCutoffPerQuery for a limit that holds to the byte.',
        );
      return ok(what, `${workgroup}, stops a query after ${cutoffBytes} bytes`);
    });
  } finally {
    athena.close();
  }
}

async function topicFindings(config: Config): Promise<readonly Finding[]> {
  const { topicPrefix } = config;
  if (topicPrefix === null) return [];
  // That definitions do not load is a finding of its own.
  const names = await loadDefinitions(config.dags).then(topicsOf, () => []);
  const choice = topicPrefix === '*' ? 'by name' : { arnPrefix: topicPrefix };
  const topics = inspectTopics(awsOptions(config), choice);
  try {
    const findings: Finding[] = [];
    for (const { topic, users } of names)
      findings.push(
        await looked(`Topic ${topic}`, async () =>
          ok(`Topic ${topic}`, `${await topics.find(topic)}, for ${users.join(', ')}`),
        ),
      );
    return findings;
  } finally {
    topics.close();
  }
}

async function queueFinding(config: Config): Promise<readonly Finding[]> {
  const { queueUrl } = config;
  if (queueUrl === null) return [];
  try {
    const queue = await openSqsMessageQueue({ ...awsOptions(config), queueUrl });
    queue.close();
    return [ok('Queue', `${queueUrl}, with a dead-letter queue`)];
  } catch (error) {
    return [failed('Queue', error)];
  }
}

/** Topics that DAGs tell, and the queue that `ingot listen` reads. */
export async function messagingFindings(config: Config): Promise<readonly Finding[]> {
  return [...(await topicFindings(config)), ...(await queueFinding(config))];
}

/** Secrets that no other finding reads: those of databases are read by whoever signs in. */
export async function secretFindings(config: Config, env: NodeJS.ProcessEnv): Promise<readonly Finding[]> {
  const secrets: readonly (readonly [string, SecretReference | null])[] = [
    ['URL that receives notifications', config.webhook],
    ['URL of the mail server', config.smtp],
  ];
  const findings: Finding[] = [];
  for (const [what, reference] of secrets) {
    if (reference === null || reference.in === 'configuration') continue;
    try {
      await resolveSecret(reference, env, `the ${what}`, managedSecrets(config.region));
      findings.push(ok(`Secret: ${what}`, `read from ${reference.in}`));
    } catch (error) {
      findings.push(failed(`Secret: ${what}`, error));
    }
  }
  return findings;
}

/** Loads the extension, but fetches nothing. */
export async function httpfsFinding({ httpfs }: Config): Promise<Finding> {
  const what = 'DuckDB on S3';
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run(`LOAD ${httpfs === null ? 'httpfs' : `'${httpfs.replaceAll("'", "''")}'`}`);
    return ok(what, httpfs === null ? 'the extension httpfs is installed' : `the extension ${httpfs}`);
  } catch (error) {
    if (httpfs === null)
      return note(
        what,
        'the extension httpfs is not installed',
        'The worker installs it from extensions.duckdb.org when it is first needed; without a way there, set sql.httpfs.',
      );
    return wrong(what, error, 'Correct sql.httpfs: a file of the extension for this version of DuckDB.');
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
