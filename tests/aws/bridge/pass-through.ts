import { Agent, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline, Transform } from 'node:stream';

/** A connection each: one that is kept may be closed by the emulator just when it is used again. */
const agent = new Agent({ keepAlive: false });

export interface Onward {
  readonly port: number;
  /** Where it was read already. */
  readonly body: Buffer | null;
  /** Bytes of the answer's body after which the connection is reset; 0 loses the whole answer. */
  readonly cutAfterBytes: number | null;
  /** Told of each piece of the answer's body. */
  readonly onBytes?: (length: number) => unknown;
}

function cutting(bytes: number, cut: () => void): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) setImmediate(cut);
    },
  });
}

function handBack(answer: IncomingMessage, outgoing: ServerResponse, onward: Onward): void {
  const { cutAfterBytes, onBytes } = onward;
  const reset = (): void => void outgoing.socket?.resetAndDestroy();
  if (cutAfterBytes === 0) {
    answer.resume().on('close', reset);
    return;
  }
  if (onBytes !== undefined) answer.on('data', (chunk: Buffer) => onBytes(chunk.length));
  outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders);
  const ended = (error: Error | null | undefined): void => void (error && outgoing.destroy());
  if (cutAfterBytes === null) pipeline(answer, outgoing, ended);
  else pipeline(answer, cutting(cutAfterBytes, reset), outgoing, ended);
}

/** Hands a request on and its answer back, byte for byte, with the headers as they came. */
export function passThrough(incoming: IncomingMessage, outgoing: ServerResponse, onward: Onward): void {
  const sent = request({
    agent,
    host: '127.0.0.1',
    port: onward.port,
    method: incoming.method,
    path: incoming.url,
    // The caller's own Host header is among them: queue addresses are made from it.
    headers: incoming.rawHeaders,
    setHost: false,
  });
  sent.on('response', (answer) => handBack(answer, outgoing, onward));
  sent.on('error', () => outgoing.destroy());
  outgoing.on('close', () => void (outgoing.writableFinished || sent.destroy()));
  if (onward.body === null) pipeline(incoming, sent, (error) => void (error && sent.destroy()));
  else sent.end(onward.body);
}
