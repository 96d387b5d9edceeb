import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { Notifier } from '../../ports/notifier.ts';
import { sendOptions } from '../aws/abort-signal.ts';
import { clientOptions, type AwsOptions } from '../aws/client-options.ts';
import { awsError } from '../aws/errors.ts';
import { snsErrors } from './errors.ts';
import { publicationOf } from './message.ts';
import { topicFinder, type TopicChoice } from './topics.ts';

export interface SnsOptions extends AwsOptions {
  readonly topics: TopicChoice;
}

/** Publishes every notification to the SNS topic of its own. */
export function snsNotifier(options: SnsOptions): Notifier {
  const client = new SNSClient(clientOptions(options));
  const find = topicFinder(client, options.topics);
  return {
    notify: async (notification, call) => {
      const arn = await find(notification.topic, call);
      try {
        await client.send(new PublishCommand(publicationOf(notification, arn)), sendOptions(call));
      } catch (error) {
        throw awsError(error, snsErrors, 'sns:Publish', arn);
      }
    },
  };
}
