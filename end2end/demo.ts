// A `linewatch demo` of our own: in a directory of its own, on ports of its own, and gone without a trace at the end.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the demo says once it is ready. */
export interface Ready {
  url: string;
  email: string;
  password: string;
  api_token: string;
  simulator_url: string;
  webhook_url: string;
  webhook_secret: string;
  mail_url: string;
}

const START_MS = 180_000;
const STOP_MS = 30_000;

export class Demo {
  /** What it said. */
  ready!: Ready;
  /** What it wrote to standard error. */
  readonly log: string;
  private child?: ChildProcess;
  private killed = false;
  private readonly dir: string;

  private constructor(name: string, private readonly options: string[], private readonly settings: Record<string, string>) {
    // The embedded Postgres runs as somebody else when we are root, and must be able to pass.
    this.dir = mkdtempSync(join(tmpdir(), 'linewatch-end2end-'));
    chmodSync(this.dir, 0o755);
    const results = join(import.meta.dirname, 'test-results');
    mkdirSync(results, { recursive: true });
    this.log = join(results, `${name}.log`);
  }

  /** Starts a fresh one; `options` are those of `linewatch demo`. */
  static start(name: string, ...options: string[]): Promise<Demo> {
    return Demo.startWith({}, name, ...options);
  }

  /** Starts a fresh one with these environment variables too. */
  static async startWith(settings: Record<string, string>, name: string, ...options: string[]): Promise<Demo> {
    const demo = new Demo(name, options, settings);
    try {
      await demo.run('--fresh');
    } catch (error) {
      demo.child?.kill('SIGKILL');
      demo.forget();
      throw error;
    }
    return demo;
  }

  /** Starts again what was killed, with the same data. */
  async restart(): Promise<void> {
    await this.run();
  }

  private async run(...more: string[]): Promise<void> {
    const binary = process.env.LINEWATCH_BIN;
    if (!binary) throw new Error('LINEWATCH_BIN does not say where the binary is. Run `make test`, or see the Makefile for how it runs these tests.');
    const command = [binary, 'demo', '--json', '--port', '0', '--story', 'off', ...this.options, ...more];
    // Should we be killed, it ends too.
    if (existsSync('/usr/bin/setpriv')) command.unshift('/usr/bin/setpriv', '--pdeathsig', 'TERM');
    const { DATABASE_URL: _database, PORT: _port, LINEWATCH_BIN: _binary, LINEWATCH_MAIL_URL: _mail, ...environment } = process.env;
    const log = openSync(this.log, 'a');
    const child = spawn(command[0], command.slice(1), {
      env: { ...environment, ...this.settings, LINEWATCH_DATA_DIR: this.dir },
      stdio: ['ignore', 'pipe', log],
    });
    closeSync(log);
    this.child = child;
    this.killed = false;
    const ready = new Promise<Ready>((resolve, reject) => {
      createInterface({ input: child.stdout! }).on('line', (line) => line.startsWith('{') && resolve(JSON.parse(line)));
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`linewatch demo ended with ${code ?? signal} before it was ready.\n${this.words()}`)));
    });
    const late = sleep(START_MS, undefined, { ref: false }).then(() => {
      throw new Error(`linewatch demo was not ready after ${START_MS / 1000} s.\n${this.words()}`);
    });
    this.ready = await Promise.race([ready, late]);
  }

  /** Adds a person whose password is the administrator's; straight into the database, because nothing here is about how people are added. */
  addPerson(email: string, role: 'viewer' | 'support'): void {
    const near = join(this.dir, 'postgres');
    const elsewhere = join(near, 'elsewhere');
    const home = existsSync(elsewhere) ? readFileSync(elsewhere, 'utf8').trim() : near;
    const kept = (name: string) => readFileSync(join(home, name), 'utf8').trim();
    const statement = `insert into person (id, email, name, role, password_hash, created_at)
      select gen_random_uuid(), '${email}', '${email}', '${role}', password_hash, now() from person where role = 'admin' limit 1`;
    const words = ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--host=127.0.0.1', `--port=${kept('port')}`, '--username=linewatch', '--dbname=linewatch', `--command=${statement}`];
    execFileSync('psql', words, { env: { ...process.env, PGPASSWORD: kept('password') }, stdio: ['ignore', 'ignore', 'pipe'] });
  }

  /** Its last words. */
  words(): string {
    const lines = readFileSync(this.log, 'utf8').split('\n');
    return [...lines.filter((line) => !line.includes('"INFO"')).slice(-10), `More is in ${this.log}.`].join('\n');
  }

  /** Sends it a signal. */
  signal(signal: NodeJS.Signals): void {
    this.child!.kill(signal);
  }

  /** Kills it at once, as a crash would. Nothing it started may stay. */
  async kill(): Promise<void> {
    const family = descendants(this.child!.pid!);
    const ended = once(this.child!, 'exit');
    this.killed = true;
    this.child!.kill('SIGKILL');
    await ended;
    await gone(family);
  }

  /** Asks it to stop, and insists that it does so with code 0 and leaves nobody behind. */
  async stop(): Promise<void> {
    try {
      if (this.killed) return;
      const family = descendants(this.child!.pid!);
      if (this.child!.exitCode !== null || this.child!.signalCode !== null) {
        throw new Error(`linewatch demo ended by itself with ${this.child!.exitCode ?? this.child!.signalCode}.\n${this.words()}`);
      }
      const ended = once(this.child!, 'exit') as Promise<[number | null, string | null]>;
      this.child!.kill('SIGTERM');
      const late = sleep(STOP_MS, undefined, { ref: false }).then((): never => {
        this.child!.kill('SIGKILL');
        throw new Error(`linewatch demo had not stopped ${STOP_MS / 1000} s after SIGTERM.\n${this.words()}`);
      });
      const [code, signal] = await Promise.race([ended, late]);
      if (code !== 0) throw new Error(`linewatch demo ended with ${code ?? signal} after SIGTERM, not with 0.\n${this.words()}`);
      await gone(family);
    } finally {
      this.forget();
    }
  }

  private forget(): void {
    const elsewhere = join(this.dir, 'postgres', 'elsewhere');
    if (existsSync(elsewhere)) rmSync(readFileSync(elsewhere, 'utf8').trim(), { recursive: true, force: true });
    rmSync(this.dir, { recursive: true, force: true });
  }
}

// --- the processes of this machine, as /proc tells ---------------------------------------------------------------------

interface Process {
  pid: number;
  parent: number;
  began: string;
  name: string;
}

function look(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [open, close] = [stat.indexOf('('), stat.lastIndexOf(')')];
    const rest = stat.slice(close + 2).split(' ');
    if (rest[0] === 'Z') return undefined;
    return { pid, parent: Number(rest[1]), began: rest[19], name: stat.slice(open + 1, close) };
  } catch {
    return undefined;
  }
}

/** Everything that a process started, directly or not. */
function descendants(pid: number): Process[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => look(Number(name)) ?? []);
  const family = new Set([pid]);
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const one of all) if (family.has(one.parent)) family.add(one.pid);
  }
  return all.filter((one) => one.pid !== pid && family.has(one.pid));
}

async function gone(family: Process[]): Promise<void> {
  const left = () => family.filter((one) => look(one.pid)?.began === one.began);
  for (let tries = 0; left().length > 0 && tries < 100; tries++) await sleep(100);
  const names = left().map((one) => `${one.name} (${one.pid})`);
  if (names.length > 0) throw new Error(`linewatch demo ended, but it left processes behind: ${names.join(', ')}`);
}
