// An application of somebody else's, on loopback, that takes events or does not.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export class Receiver {
  /** What it answers from now on. */
  status = 500;
  /** How long it thinks first, in milliseconds. */
  latency = 0;
  /** The ids of what it was sent, every attempt. */
  readonly got: string[] = [];

  private constructor(private readonly server: Server) {}

  static async listen(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request: IncomingMessage, response) => {
      request.resume();
      request.on('end', () => {
        receiver.got.push(String(request.headers['webhook-id']));
        setTimeout(() => {
          response.writeHead(receiver.status, { 'content-type': 'text/plain' });
          response.end(receiver.status < 300 ? 'thank you' : 'the till is broken');
        }, receiver.latency);
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hooks`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}
