import type { Json, JsonObject } from '../dag/json.ts';
import type { CallOptions } from '../ports/abortable.ts';

/** An event as EventBridge delivers it: what the product reads of it. */
export interface OutsideEvent {
  readonly source: string;
  readonly detailType: string;
  /** RFC 3339. */
  readonly time: string | null;
  readonly detail: JsonObject;
}

/** Handles the events of one kind, each perhaps more than once; answers what came of it, for the log. */
export type EventHandler = (event: OutsideEvent, options: CallOptions) => Promise<string>;

/** Handlers by `<source>/<detail-type>`. */
export type EventHandlers = Readonly<Record<string, EventHandler>>;

export function kindOf({ source, detailType }: OutsideEvent): string {
  return `${source}/${detailType}`;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Null for what is no event. */
export function outsideEvent(body: Json): OutsideEvent | null {
  if (!isObject(body)) return null;
  const { source, 'detail-type': detailType, detail, time } = body;
  if (typeof source !== 'string' || typeof detailType !== 'string' || !isObject(detail)) return null;
  return { source, detailType, detail, time: typeof time === 'string' ? time : null };
}
