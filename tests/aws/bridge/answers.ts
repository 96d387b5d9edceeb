import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Call, Fields } from './call.ts';

export interface ErrorAnswer {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly more?: Fields;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function send(outgoing: ServerResponse, status: number, type: string, body: string): void {
  const id = randomUUID();
  outgoing.writeHead(status, { 'content-type': type, 'x-amzn-requestid': id, 'x-amz-request-id': id });
  outgoing.end(body);
}

export function sendJson(outgoing: ServerResponse, fields: Fields, status = 200): void {
  send(outgoing, status, 'application/x-amz-json-1.1', JSON.stringify(fields));
}

/** Answers an error in the protocol of the call. */
export function sendError(outgoing: ServerResponse, call: Call, error: ErrorAnswer): void {
  const { code, message, status, more } = error;
  const xml = `<Code>${code}</Code><Message>${escapeXml(message)}</Message>`;
  if (call.body === null)
    return send(outgoing, status, 'application/xml', `<?xml version="1.0"?><Error>${xml}</Error>`);
  if (call.body.toString('utf8').includes('Action='))
    return send(
      outgoing,
      status,
      'text/xml',
      `<ErrorResponse><Error><Type>Sender</Type>${xml}</Error></ErrorResponse>`,
    );
  outgoing.setHeader('x-amzn-errortype', code);
  sendJson(outgoing, { __type: code, message, Message: message, ...more }, status);
}
