import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { sendError, sendJson } from './answers.ts';
import { readCall, ServiceError, type Call, type Fields, type Handlers } from './call.ts';
import { FaultList, type Fault } from './fault-list.ts';
import { passThrough } from './pass-through.ts';

export interface Bridge {
  readonly endpoint: string;
  close(): Promise<void>;
}

export interface BridgeOptions {
  /** Port of the emulator behind it, which may start with the first call. */
  readonly emulatorPort: () => Promise<number>;
  /** The calls that are not left to the emulator. */
  readonly handlers: Handlers;
  /** What tests may do to the services from outside, by the name that follows `/_bridge/`. */
  readonly controls: Handlers;
}

const controlPrefix = '/_bridge/';

function faultControls(faults: FaultList): Handlers {
  return {
    'add-fault': (fault) => {
      faults.add(fault as unknown as Fault);
      return {};
    },
    'clear-faults': ({ match }) => {
      faults.clear(String(match));
      return {};
    },
    'count-calls': ({ action, match }) => ({ count: faults.count(String(action), String(match)) }),
  };
}

function parsed(body: Buffer | null): Fields {
  return body === null || body.length === 0 ? {} : (JSON.parse(body.toString('utf8')) as Fields);
}

/** Answers what the handler says; a connection that is to be lost is lost once it has done its work. */
async function handle(
  run: () => Promise<Fields> | Fields,
  call: Call,
  outgoing: ServerResponse,
  isLost: boolean,
): Promise<void> {
  try {
    const output = await run();
    if (isLost) outgoing.socket?.resetAndDestroy();
    else sendJson(outgoing, output);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    sendError(outgoing, call, error);
  }
}

class Switchboard {
  readonly #options: BridgeOptions;
  readonly #controls: Handlers;
  readonly #faults = new FaultList();

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#controls = { ...options.controls, ...faultControls(this.#faults) };
  }

  async answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    if (incoming.url?.startsWith(controlPrefix)) return await this.#control(incoming, outgoing);
    const call = await readCall(incoming);
    const effect = this.#faults.take(call);
    if (effect?.kind === 'error') return sendError(outgoing, call, effect);
    if (effect?.kind === 'reset') return void incoming.socket.resetAndDestroy();
    if (effect?.kind === 'delay') await delay(effect.ms);
    const isLost = effect?.kind === 'lose-answer';
    const handler = this.#options.handlers[call.action];
    if (handler !== undefined) return await handle(() => handler(parsed(call.body)), call, outgoing, isLost);
    const cutAfterBytes = effect?.kind === 'cut' ? effect.afterBytes : isLost ? 0 : null;
    passThrough(incoming, outgoing, {
      port: await this.#options.emulatorPort(),
      body: call.body,
      cutAfterBytes,
    });
  }

  async #control(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const name = incoming.url?.slice(controlPrefix.length) ?? '';
    const body = Buffer.concat(await incoming.toArray());
    const control = this.#controls[name];
    const call = { action: name, body, text: '' };
    await handle(
      () => {
        if (control === undefined) throw new ServiceError('NoSuchControl', `no control ${name}`);
        return control(parsed(body));
      },
      call,
      outgoing,
      false,
    );
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** What tests take for AWS: the emulator, with what it only pretends done for real. */
export async function openBridge(options: BridgeOptions): Promise<Bridge> {
  const switchboard = new Switchboard(options);
  const server = createServer((incoming, outgoing) => {
    switchboard.answer(incoming, outgoing).catch((error: unknown) => {
      if (outgoing.destroyed) return;
      console.error('The AWS test bed could not answer a call:', error);
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(500).end(String(error));
    });
  });
  // A large object may take longer than Node's five minutes.
  server.requestTimeout = 0;
  const port = await listen(server);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
