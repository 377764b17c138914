// Who judges signed webhooks: the Standard Webhooks project's own libraries, for Node and for Python. We wrote neither.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import type { Taken } from './receiver';

/** Why each refused it; null: it did not. */
export interface Verdict {
  node: string | null;
  python: string | null;
}

/** Both take it. */
export const GOOD: Verdict = { node: null, python: null };

/** Both refuse it, for the signature. */
export const FORGED: Verdict = { node: 'No matching signature found', python: 'No matching signature found' };

export class Judges {
  private readonly python: ChildProcess;
  private readonly answers: AsyncIterator<string>;
  private readonly lines: Interface;
  private said = '';

  constructor() {
    const tools = process.env.LINEWATCH_TOOLS || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'linewatch', 'tools');
    const library = join(tools, 'standardwebhooks');
    if (!existsSync(library)) throw new Error(`The Standard Webhooks library for Python is not in ${library}. \`.ci/tools test\` installs it.`);
    this.python = spawn('python3', ['-I', '-c', `import sys, runpy; sys.path.insert(0, sys.argv[1]); runpy.run_path(sys.argv[2])`, library, join(import.meta.dirname, 'standard_webhooks.py')], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.python.stderr!.on('data', (text) => (this.said += text));
    this.lines = createInterface({ input: this.python.stdout! });
    this.answers = this.lines[Symbol.asyncIterator]();
  }

  /** What both say of a request. One question at a time. */
  async judge(taken: Taken, secret: string): Promise<Verdict> {
    return { node: this.node(taken, secret), python: await this.ask(taken, secret) };
  }

  private node(taken: Taken, secret: string): string | null {
    try {
      new Webhook(secret).verify(taken.body, taken.headers);
      return null;
    } catch (error) {
      if (error instanceof WebhookVerificationError) return error.message;
      throw error;
    }
  }

  private async ask({ headers, body }: Taken, secret: string): Promise<string | null> {
    this.python.stdin!.write(`${JSON.stringify({ secret, headers, body: body.toString('base64') })}\n`);
    const { value, done } = await this.answers.next();
    if (done) throw new Error(`python3 ended: ${this.said}`);
    return (JSON.parse(value) as { refused: string | null }).refused;
  }

  async close(): Promise<void> {
    this.lines.close();
    const ended = once(this.python, 'exit');
    this.python.stdin!.end();
    if (this.python.exitCode === null) await ended;
  }
}
