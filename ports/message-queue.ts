import type { Json } from '../dag/json.ts';
import type { CallOptions } from './abortable.ts';

export interface QueueMessage {
  readonly id: string;
  readonly body: Json;
  /** Times it was received, this one included. */
  readonly received: number;
}

/**
 * Messages from outside, each delivered at least once and in any order. A message is gone once its handler has returned; while the handler
 * works it stays hidden from others, however long that takes. One whose handler throws comes again after a pause, and ends in the
 * dead-letter queue after as many tries as the queue is set up for; one that is not JSON goes there too.
 */
export interface MessageQueue {
  readonly name: string;
  /** Handles messages, at most `atOnce` (default 10) at the same time, until `signal` is aborted; then lets those under way end. */
  consume(
    handle: (message: QueueMessage, options: CallOptions) => Promise<void>,
    options: CallOptions & { readonly atOnce?: number },
  ): Promise<void>;
}
