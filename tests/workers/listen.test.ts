import { expect, test } from 'vitest';
import type { Json } from '../../dag/json.ts';
import type { MessageQueue } from '../../ports/message-queue.ts';
import { listen } from '../../workers/listen.ts';
import type { EventHandlers } from '../../workers/outside-events.ts';

interface Heard {
  /** What became of each message: handled, or the error it comes again with. */
  readonly outcomes: string[];
  readonly log: { readonly level: string; readonly fields: object }[];
}

async function heard(bodies: readonly Json[], handlers: EventHandlers): Promise<Heard> {
  const outcomes: string[] = [];
  const log: { level: string; fields: object }[] = [];
  const queue: MessageQueue = {
    name: 'events',
    consume: async (handle) => {
      for (const [index, body] of bodies.entries())
        outcomes.push(
          await handle({ id: `m${index}`, body, received: 1 }, {}).then(
            () => 'handled',
            (error: Error) => error.message,
          ),
        );
    },
  };
  const write = (level: string) => (fields: object) => void log.push({ level, fields });
  await listen(queue, handlers, { info: write('info'), warn: write('warn') }, {});
  return { outcomes, log };
}

const event = (source: string, type: string, detail: Json = {}): Json => ({
  version: '0',
  source,
  'detail-type': type,
  detail,
});

test('an event goes to the handler of its source and type, and what came of it is logged', async () => {
  const { outcomes, log } = await heard(
    [event('aws.glue', 'Ended', { job: 'a' }), event('aws.s3', 'Ended')],
    {
      'aws.glue/Ended': async ({ detail }) => `told ${JSON.stringify(detail['job'])}`,
      'aws.s3/Ended': async () => 'seen',
    },
  );
  expect(outcomes).toEqual(['handled', 'handled']);
  expect(log.map(({ fields }) => fields)).toEqual([
    { kind: 'aws.glue/Ended', message: 'm0', came: 'told "a"' },
    { kind: 'aws.s3/Ended', message: 'm1', came: 'seen' },
  ]);
});

test('events that nobody handles, and what is no event, are gone, and said once for each kind', async () => {
  const bodies = [
    event('aws.ec2', 'Odd'),
    event('aws.ec2', 'Odd'),
    'no event',
    null,
    [1],
    event('aws.ec2', 'Other'),
  ];
  const { outcomes, log } = await heard(bodies, {});
  expect(new Set(outcomes)).toEqual(new Set(['handled']));
  expect(log.map(({ level, fields }) => [level, (fields as { kind: string }).kind])).toEqual([
    ['warn', 'aws.ec2/Odd'],
    ['warn', 'what is no event'],
    ['warn', 'aws.ec2/Other'],
  ]);
});

test('an event whose handler fails is left to the queue', async () => {
  const { outcomes } = await heard([event('aws.glue', 'Ended')], {
    'aws.glue/Ended': () => Promise.reject(new Error('Temporal is away')),
  });
  expect(outcomes).toEqual(['Temporal is away']);
});
