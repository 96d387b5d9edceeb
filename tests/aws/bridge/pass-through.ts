import { Agent, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';

/** A connection each: one that is kept may be closed by the emulator just when it is used again. */
const agent = new Agent({ keepAlive: false });

/** Hands a request on and its answer back, byte for byte, with the headers as they came; `body` when it was read already. */
export function passThrough(
  port: number,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  body?: Buffer,
): void {
  const onward = request({
    agent,
    host: '127.0.0.1',
    port,
    method: incoming.method,
    path: incoming.url,
    headers: incoming.rawHeaders,
    // The caller's own Host header is among them: queue addresses are made from it.
    setHost: false,
  });
  onward.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders);
    outgoing.flushHeaders();
    pipeline(answer, outgoing, (error) => void (error && outgoing.destroy()));
  });
  onward.on('error', () => outgoing.destroy());
  outgoing.on('close', () => void (outgoing.writableFinished || onward.destroy()));
  if (body === undefined) pipeline(incoming, onward, (error) => void (error && onward.destroy()));
  else onward.end(body);
}
