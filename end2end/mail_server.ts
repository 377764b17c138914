// A real mail server, by people who write nothing but mail servers: STARTTLS or nothing, a password or nothing.

import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import type { Certificate } from './certificates';

/** A mail, and how it came. */
export interface Mail {
  /** As it came. */
  raw: string;
  /** As a mail program reads it. */
  read: Email;
  /** Whether it came over TLS. */
  secure: boolean;
  /** Who signed in. */
  user: string;
  to: string[];
}

export class MailServer {
  static readonly USER = 'linewatch@company.example';
  /** What it takes as the password; with characters that mean something in a URL. */
  password = 'p@ss/w:rd?&';
  /** All mails that were sent to their end, those too that were refused then. */
  readonly mails: Mail[] = [];
  /** Commands that came in the open: before TLS. */
  readonly open: string[] = [];
  /** What it answers to the next mails, each once. */
  readonly refusals: { code: number; words: string }[] = [];

  private constructor(private readonly server: SMTPServer) {}

  static async listen(certificate: Certificate): Promise<MailServer> {
    const server = new SMTPServer({
      ...certificate,
      authOptional: false,
      authMethods: ['PLAIN', 'LOGIN'],
      disableReverseLookup: true,
      onAuth: (auth, _session, answer) => {
        if (auth.username === MailServer.USER && auth.password === mails.password) answer(null, { user: auth.username });
        else answer(new Error('Invalid username or password'));
      },
      onMailFrom: (address, session, answer) => {
        if (!session.secure) mails.open.push(address.address);
        answer();
      },
      onData: (stream, session, answer) => {
        const pieces: Buffer[] = [];
        stream.on('data', (piece: Buffer) => pieces.push(piece));
        stream.on('end', async () => {
          const raw = Buffer.concat(pieces);
          const to = session.envelope.rcptTo.map(({ address }) => address);
          mails.mails.push({ raw: raw.toString(), read: await PostalMime.parse(raw), secure: session.secure, user: String(session.user), to });
          const refusal = mails.refusals.shift();
          if (refusal) answer(Object.assign(new Error(refusal.words), { responseCode: refusal.code }));
          else answer(null, 'thank you');
        });
      },
    });
    const mails = new MailServer(server);
    // What a client does that hangs up is its own affair.
    server.on('error', () => {});
    server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
    return mails;
  }

  get port(): number {
    return (this.server.server.address() as AddressInfo).port;
  }

  /** The setting that leads here. */
  get url(): string {
    return `smtp://${encodeURIComponent(MailServer.USER)}:${encodeURIComponent(this.password)}@127.0.0.1:${this.port}`;
  }

  /** Shows another certificate from now on. */
  show(certificate: Certificate): void {
    this.server.updateSecureContext(certificate);
  }

  /** Whether it offers STARTTLS at all. */
  offersTls(offers: boolean): void {
    this.server.options.hideSTARTTLS = !offers;
  }

  /** Says these lines to it in the open, and answers what it says to the last. */
  async inTheOpen(...lines: string[]): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    socket.setEncoding('utf8');
    try {
      let answer = await whole(socket);
      for (const line of lines) {
        socket.write(`${line}\r\n`);
        answer = await whole(socket);
      }
      return answer;
    } finally {
      socket.destroy();
    }
  }

  close(): Promise<void> {
    return new Promise((done) => this.server.close(done));
  }
}

/** An answer, to its last line. */
async function whole(socket: ReturnType<typeof connect>): Promise<string> {
  let text = '';
  while (!/^\d{3} .*\r\n$/m.test(text)) text += (await once(socket, 'data'))[0];
  return text;
}
