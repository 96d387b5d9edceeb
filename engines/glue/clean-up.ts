import { DeleteCrawlerCommand, DeleteDatabaseCommand, GlueClient } from '@aws-sdk/client-glue';
import { type AwsOptions, clientOptions } from '../aws/client-options.ts';
import { awsError } from '../aws/errors.ts';
import { catalogErrors } from './catalog-errors.ts';
import { isNamed } from './catalog-client.ts';

async function removed(
  options: AwsOptions,
  action: string,
  name: string,
  call: (glue: GlueClient) => Promise<unknown>,
) {
  const glue = new GlueClient(clientOptions(options));
  try {
    await call(glue);
  } catch (error) {
    if (!isNamed(error, 'EntityNotFoundException')) throw awsError(error, catalogErrors, action, name);
  } finally {
    glue.destroy();
  }
}

/** With its tables. One that is not there is no error. */
export async function removeDatabase(options: AwsOptions, name: string): Promise<void> {
  await removed(options, 'glue:DeleteDatabase', name, (glue) =>
    glue.send(new DeleteDatabaseCommand({ Name: name })),
  );
}

/** What it has found stays. One that is not there is no error. */
export async function removeCrawler(options: AwsOptions, name: string): Promise<void> {
  await removed(options, 'glue:DeleteCrawler', name, (glue) =>
    glue.send(new DeleteCrawlerCommand({ Name: name })),
  );
}
