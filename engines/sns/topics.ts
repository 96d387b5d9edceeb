import { ListTopicsCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { CallOptions } from '../../ports/abortable.ts';
import { TerminalError } from '../../ports/errors.ts';
import { sendOptions } from '../aws/abort-signal.ts';
import { awsError } from '../aws/errors.ts';
import { snsErrors } from './errors.ts';

/** ARN up to the topic's name, `arn:aws:sns:<region>:<account>:`; or topics of the account and region are looked up, once for each name. */
export type TopicChoice = { readonly arnPrefix: string } | 'by name';

export type FindTopic = (name: string, options?: CallOptions) => Promise<string>;

async function listTopics(client: SNSClient, options?: CallOptions): Promise<string[]> {
  const found: string[] = [];
  let next: string | undefined;
  try {
    do {
      const page = await client.send(
        new ListTopicsCommand(next === undefined ? {} : { NextToken: next }),
        sendOptions(options),
      );
      found.push(
        ...(page.Topics ?? []).flatMap(({ TopicArn }) => (TopicArn === undefined ? [] : [TopicArn])),
      );
      next = page.NextToken;
    } while (next !== undefined);
  } catch (error) {
    throw awsError(error, snsErrors, 'sns:ListTopics', 'topics of the account');
  }
  return found;
}

function lookedUp(client: SNSClient): FindTopic {
  const known = new Map<string, string>();
  return async (name, options) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    for (const arn of await listTopics(client, options)) known.set(arn.slice(arn.lastIndexOf(':') + 1), arn);
    const arn = known.get(name) ?? known.get(`${name}.fifo`);
    if (arn === undefined)
      throw new TerminalError({
        place: `topic ${name}`,
        expected: 'an SNS topic of that name in the account and region',
        found: `${known.size} others`,
        remedy: 'Create the topic, or name another in the alerts of the DAG. Ingot creates none.',
      });
    known.set(name, arn);
    return arn;
  };
}

/** Topics are found, never made. */
export function topicFinder(client: SNSClient, topics: TopicChoice): FindTopic {
  if (topics === 'by name') return lookedUp(client);
  return (name) => Promise.resolve(`${topics.arnPrefix}${name}`);
}
