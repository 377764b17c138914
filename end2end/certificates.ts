// Certificates of a company of our own, as such have them: an authority that signs, and what it has signed.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  key: Buffer;
  cert: Buffer;
}

export class Authority {
  private readonly dir = mkdtempSync(join(tmpdir(), 'linewatch-authority-'));
  /** Where its own certificate is. */
  readonly file = join(this.dir, 'authority.pem');

  constructor(name: string) {
    this.openssl('req', '-x509', ...this.fresh('authority'), '-out', this.file, '-days', '2', '-subj', `/CN=${name}`, '-addext', 'keyUsage=critical,keyCertSign');
  }

  /** A certificate for 127.0.0.1, signed by it. */
  sign(): Certificate {
    const [request, signed, extensions] = ['request.pem', 'signed.pem', 'extensions'].map((name) => join(this.dir, name));
    writeFileSync(extensions, 'subjectAltName = IP:127.0.0.1\nbasicConstraints = critical, CA:FALSE\nextendedKeyUsage = serverAuth\n');
    this.openssl('req', '-new', ...this.fresh('server'), '-out', request, '-subj', '/CN=mail');
    this.openssl('x509', '-req', '-in', request, '-CA', this.file, '-CAkey', this.key('authority'), '-CAcreateserial', '-days', '2', '-extfile', extensions, '-out', signed);
    return { key: readFileSync(this.key('server')), cert: readFileSync(signed) };
  }

  forget(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  private key(name: string): string {
    return join(this.dir, `${name}-key.pem`);
  }

  private fresh(name: string): string[] {
    return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', this.key(name)];
  }

  private openssl(...words: string[]): void {
    execFileSync('openssl', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}
