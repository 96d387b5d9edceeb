import { GetTopicAttributesCommand, SNSClient } from '@aws-sdk/client-sns';
import { clientOptions, type AwsOptions } from '../aws/client-options.ts';
import { awsError } from '../aws/errors.ts';
import { snsErrors } from './errors.ts';
import { topicFinder, type TopicChoice } from './topics.ts';

export interface TopicInspection {
  /** The ARN of the topic. Throws TerminalError when there is none, or when it may not be looked at. */
  find(name: string): Promise<string>;
  close(): void;
}

export function inspectTopics(options: AwsOptions, topics: TopicChoice): TopicInspection {
  const client = new SNSClient(clientOptions(options));
  const find = topicFinder(client, topics);
  return {
    find: async (name) => {
      const arn = await find(name);
      if (topics === 'by name') return arn;
      try {
        await client.send(new GetTopicAttributesCommand({ TopicArn: arn }));
        return arn;
      } catch (error) {
        throw awsError(error, snsErrors, 'sns:GetTopicAttributes', arn);
      }
    },
    close: () => client.destroy(),
  };
}
