// What every test starts from: a page that is signed in, and `linewatch`, which knows the API and the pretend Makini.

import { expect, request, test as base, type BrowserContextOptions } from '@playwright/test';
import type { Ready } from './demo';

export { expect };

export interface Connection {
  id: string;
  key: string;
  name: string;
  customer: { id: string; name: string };
  platform: { slug: string; name: string };
  health: string;
  cause: { code: string; summary: string; actor: string } | null;
  owner: string | null;
  tags: string[];
  note?: string | null;
  cadence_seconds: number | null;
}

export interface Listing {
  items: Connection[];
  next_cursor: string | null;
  matching: number;
  totals: Record<string, number>;
}

export interface Delivery {
  id: string;
  event: string;
  created_at: string;
  attempts: { at: string; status: number | null }[];
}

export type Action = 'change_credentials' | 'reconnect' | 'go_offline' | 'come_online' | 'fail_sync' | 'finish_sync' | 'stall_sync' | 'change_record';

export type Session = Exclude<BrowserContextOptions['storageState'], string | undefined>;

/** Nobody is signed in. */
export const NOBODY: Session = { cookies: [], origins: [] };

export class Linewatch {
  private readonly broken = new Set<string>();
  private faulty = false;

  constructor(readonly ready: Ready = JSON.parse(process.env.END2END_READY!)) {}

  /** Asks the API. */
  async ask<T>(path: string, method = 'GET', body?: unknown): Promise<T> {
    const headers = { authorization: `Bearer ${this.ready.api_token}` };
    return (await call(`${this.ready.url}${path}`, method, body, headers)) as T;
  }

  connections(query = ''): Promise<Listing> {
    return this.ask(`/api/v1/connections?${query}`);
  }

  connection(id: string): Promise<Connection> {
    return this.ask(`/api/v1/connections/${id}`);
  }

  /** Something happens at a customer's; afterwards `mend` puts it right. */
  async act(connection: Connection, action: Action): Promise<void> {
    this.broken.add(connection.key);
    await this.sim(`/connections/${encodeURIComponent(connection.key)}/actions`, 'POST', { action });
  }

  /** Makini misbehaves; afterwards `mend` puts it right. */
  async fault(fault: string, value: number, scope = 'all', for_seconds = 60): Promise<void> {
    this.faulty = true;
    await this.sim('/faults', 'POST', { fault, value, scope, for_seconds });
  }

  /** Makini behaves again. */
  async endFaults(): Promise<void> {
    await this.sim('/faults', 'DELETE');
    this.faulty = false;
  }

  /** The webhooks about a connection, newest first. */
  async deliveries(connection: Connection): Promise<Delivery[]> {
    const answer = await this.sim<{ items: Delivery[] }>(`/deliveries?connection=${encodeURIComponent(connection.key)}`);
    return answer.items;
  }

  /** The first healthy connection of a list to which nothing was ever done, so that no earlier test shows through. */
  async untouched(query = 'limit=200'): Promise<Connection> {
    return (await this.allUntouched(query, 1))[0];
  }

  async allUntouched(query: string, many: number): Promise<Connection[]> {
    const state = await this.sim<{ connections: { key: string; touched: boolean }[] }>('/state');
    const touched = new Set(state.connections.filter((one) => one.touched).map((one) => one.key));
    const { items } = await this.connections(query);
    const found = items.filter((one) => one.health === 'healthy' && !touched.has(one.key) && !this.broken.has(one.key));
    if (found.length < many) throw new Error(`fewer than ${many} connections of "${query}" are untouched; the demo needs more`);
    return found.slice(0, many);
  }

  /** Waits until a connection is as it should be. */
  async becomes(connection: Connection, health: string): Promise<void> {
    await expect.poll(async () => (await this.connection(connection.id)).health, { timeout: 40_000 }).toBe(health);
  }

  /** Waits until every connection is healthy. */
  async calm(): Promise<void> {
    const unwell = async () => {
      const { totals } = await this.connections('limit=1');
      return Object.fromEntries(Object.entries(totals).filter(([health, n]) => health !== 'healthy' && n > 0));
    };
    await expect.poll(unwell, { message: 'every connection of a demo without a story becomes healthy', timeout: 60_000 }).toEqual({});
  }

  /** Puts right what was broken. */
  async mend(): Promise<void> {
    if (this.faulty) await this.endFaults();
    else if (this.broken.size === 0) return;
    for (const key of this.broken) {
      for (const action of ['come_online', 'reconnect']) await this.sim(`/connections/${encodeURIComponent(key)}/actions`, 'POST', { action });
    }
    this.broken.clear();
    await this.calm();
  }

  private async sim<T>(path: string, method = 'GET', body?: unknown): Promise<T> {
    return (await call(`${this.ready.simulator_url}/_sim${path}`, method, body)) as T;
  }
}

async function call(url: string, method: string, body?: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  const json = body === undefined ? {} : { body: JSON.stringify(body), headers: { ...headers, 'content-type': 'application/json' } };
  const answer = await fetch(url, { method, headers, ...json });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url} answered ${answer.status}: ${text.slice(0, 500)}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** Signs in and keeps the session. */
export async function session(ready: Ready): Promise<Session> {
  const door = await request.newContext({ baseURL: ready.url });
  try {
    const answer = await door.post('/login', { form: { email: ready.email, password: ready.password }, maxRedirects: 0 });
    expect(answer.status(), 'signing in').toBe(303);
    return await door.storageState();
  } finally {
    await door.dispose();
  }
}

export const test = base.extend<{ linewatch: Linewatch }>({
  baseURL: async ({}, use) => use((JSON.parse(process.env.END2END_READY!) as Ready).url),
  storageState: async ({}, use) => use(JSON.parse(process.env.END2END_SESSION!)),
  linewatch: async ({}, use) => {
    const linewatch = new Linewatch();
    await use(linewatch);
    await linewatch.mend();
  },
  // Whatever a test is about: no page of it may panic, throw, or offend the content security policy.
  context: async ({ context }, use) => {
    const trouble: string[] = [];
    context.on('weberror', (error) => trouble.push(`${error.page()?.url()}: ${error.error().message}`));
    context.on('console', (message) => {
      if (message.type() === 'error' && /content security policy|panicked at/i.test(message.text())) trouble.push(message.text());
    });
    await use(context);
    expect(trouble, 'no page throws, panics, or breaks its content security policy').toEqual([]);
  },
});
