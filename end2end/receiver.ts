// An application of somebody else's, on loopback, that takes events or does not.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A request as it came. */
export interface Taken {
  headers: Record<string, string>;
  /** Its very bytes. */
  body: Buffer;
  path: string;
}

export class Receiver {
  /** What it answers from now on. */
  status = 500;
  /** What it answers to some, whatever else it answers. */
  refuse?: (taken: Taken) => number | undefined;
  /** How long it thinks first, in milliseconds. */
  latency = 0;
  /** The ids of what it was sent, every attempt. */
  readonly got: string[] = [];
  /** All that it was sent, every attempt. */
  readonly taken: Taken[] = [];

  private constructor(private readonly server: Server, private readonly scheme: string) {}

  /** Over TLS, where it is given what to show. */
  static async listen(certificate?: { key: Buffer; cert: Buffer }): Promise<Receiver> {
    const server = certificate ? createSecureServer(certificate) : createServer();
    const receiver = new Receiver(server, certificate ? 'https' : 'http');
    server.on('request', (request: IncomingMessage, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
        const taken = { headers, body: Buffer.concat(pieces), path: request.url ?? '' };
        receiver.got.push(String(request.headers['webhook-id']));
        receiver.taken.push(taken);
        const status = receiver.refuse?.(taken) ?? receiver.status;
        setTimeout(() => {
          response.writeHead(status, { 'content-type': 'text/plain' });
          response.end(status < 300 ? 'thank you' : 'the till is broken');
        }, receiver.latency);
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return receiver;
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${(this.server.address() as AddressInfo).port}/hooks`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
