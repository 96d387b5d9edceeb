import { createHash } from 'node:crypto';
import type { PublishCommandInput } from '@aws-sdk/client-sns';
import type { Json } from '../../dag/json.ts';
import type { Notification } from '../../ports/notifier.ts';

const maxSubject = 100;
/** SNS counts attributes too; what is left for them is plenty. */
const maxMessageBytes = 256 * 1024 - 4 * 1024;
const maxAttributeText = 256;

/** SNS takes one line of at most 100 printable ASCII characters that does not begin with a blank. */
export function subjectOf({ severity, title }: Notification): string {
  const marked = severity === 'info' ? title : `[${severity}] ${title}`;
  const plain = marked
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .replaceAll(/[‐-―]/g, '-')
    .replaceAll(/[‘’]/g, "'")
    .replaceAll(/[“”]/g, '"')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[^ -~]/gu, '?')
    .trim();
  return plain.slice(0, maxSubject).trimEnd() || 'Ingot';
}

function valueText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The beginning of a text that is too long, and a last line that says so. Never half a character. */
function cut(text: string, maxBytes: number): string {
  const whole = Buffer.from(text, 'utf8');
  if (whole.length <= maxBytes) return text;
  const note = `\n… cut: this is the beginning of ${whole.length} bytes; SNS takes ${maxBytes}.`;
  let end = maxBytes - Buffer.byteLength(note);
  while ((whole[end]! & 0xc0) === 0x80) end -= 1;
  return whole.subarray(0, end).toString('utf8') + note;
}

/** The message, and below it what the receiver needs to act: one line each. */
export function textOf({ message, context }: Notification): string {
  const lines = Object.entries(context).map(([name, value]) => `${name}: ${valueText(value)}`);
  return cut(
    [message || '(no message)', ...(lines.length === 0 ? [] : ['', ...lines])].join('\n'),
    maxMessageBytes,
  );
}

/** What filter policies can choose by: `topic`, `severity`, and of a run `dag` and `run`. */
export function attributesOf({ topic, severity, context }: Notification) {
  const named = { topic, severity, dag: context['dag'], run: context['run'] };
  const given = Object.entries(named).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '',
  );
  return Object.fromEntries(
    given.map(([name, value]) => [
      name,
      { DataType: 'String', StringValue: value.slice(0, maxAttributeText) },
    ]),
  );
}

/** A FIFO topic drops a repeated delivery by the key; what has no order among itself needs no common group. */
function fifo({ key }: Notification): Pick<PublishCommandInput, 'MessageGroupId' | 'MessageDeduplicationId'> {
  const id = createHash('sha256').update(key).digest('hex');
  return { MessageGroupId: id, MessageDeduplicationId: id };
}

export function publicationOf(notification: Notification, topicArn: string): PublishCommandInput {
  return {
    TopicArn: topicArn,
    Subject: subjectOf(notification),
    Message: textOf(notification),
    MessageAttributes: attributesOf(notification),
    ...(topicArn.endsWith('.fifo') ? fifo(notification) : {}),
  };
}
