import type { CallOptions } from '../ports/abortable.ts';
import type { MessageQueue, QueueMessage } from '../ports/message-queue.ts';
import { kindOf, outsideEvent, type EventHandlers } from './outside-events.ts';

export interface ListenLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * Hands every event of the queue to the handler of its kind, until `signal` is aborted; then lets those under way end. What nobody handles is
 * said once for each kind, and gone.
 */
export async function listen(
  queue: MessageQueue,
  handlers: EventHandlers,
  log: ListenLog,
  { signal }: CallOptions,
): Promise<void> {
  const strange = new Set<string>();

  async function handle(message: QueueMessage, options: CallOptions): Promise<void> {
    const event = outsideEvent(message.body);
    const kind = event === null ? 'what is no event' : kindOf(event);
    const handler = handlers[kind];
    if (event !== null && handler !== undefined) {
      log.info({ kind, message: message.id, came: await handler(event, options) }, 'event');
      return;
    }
    if (strange.has(kind)) return;
    strange.add(kind);
    log.warn({ kind, message: message.id }, 'nothing handles such events; they are dropped');
  }

  await queue.consume(handle, signal === undefined ? {} : { signal });
}
