// Alerts: a rule is written as a sentence and shows what it would have done; it fires, somebody is told, takes it, silences it.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Locator, Page } from '@playwright/test';
import { expect, Linewatch, test, type Connection } from './linewatch';
import { open } from './page';

interface Named { id: string; name: string }
interface Mail { id: string; subject: string; to: string[]; text: string | null; html: string | null }
interface Alert { id: string; state: string; acknowledged_by: string | null; muted_by: string | null; subject: { id: string } }

/** A receiver of webhooks on this machine: everything that came, as text. */
class Receiver {
  readonly messages: string[] = [];
  private readonly server: Server;

  constructor() {
    this.server = createServer(async (request: IncomingMessage, answer) => {
      let text = '';
      for await (const piece of request) text += piece;
      this.messages.push(text);
      answer.writeHead(200).end('ok');
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/alerts`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const list = async <T>(linewatch: Linewatch, path: string) => (await linewatch.ask<{ items: T[] }>(path)).items;

/** The thing of a name. */
async function named(linewatch: Linewatch, path: string, name: string): Promise<Named> {
  const found = (await list<Named>(linewatch, path)).find((one) => one.name === name);
  if (!found) throw new Error(`nothing at ${path} is called ${name}`);
  return found;
}

const alertRow = (page: Page, victim: Connection): Locator =>
  page.getByRole('main').locator('tr[data-alert]').filter({ has: page.locator(`a[href="/connections/${victim.id}"]`) });

/** A name that no other test uses. */
const fresh = (words: string) => `${words} ${Date.now().toString(36)}`;

/** Takes away what a test has made: routes before their channels. The demo's own channel, which is caught, and its route stay. */
async function tidy(linewatch: Linewatch, names: string[]): Promise<void> {
  for (const path of ['/api/v1/rules', '/api/v1/routes', '/api/v1/channels']) {
    for (const one of await list<Named>(linewatch, path)) {
      if (names.includes(one.name)) await linewatch.ask(`${path}/${one.id}`, 'DELETE');
    }
  }
}

test('a rule is written by keyboard with its preview, fires, is told, taken from the message, and silenced', async ({ page, linewatch }) => {
  test.setTimeout(150_000);
  const receiver = new Receiver();
  const address = await receiver.listen();
  const name = fresh('Sign in');
  try {
    // By what means: a webhook to this machine, whose secret is shown once.
    await open(page, '/alerts/channels/new');
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('By what means').selectOption('webhook');
    await expect(page.getByLabel('E-mail to')).toBeHidden();
    await page.getByLabel('Webhook address', { exact: true }).fill(address);
    await page.getByRole('button', { name: 'Add the channel' }).click();
    await expect(page.getByText('This secret signs every message.')).toBeVisible();
    await expect(page.getByText(/^whsec_/)).toBeVisible();
    await page.getByRole('button', { name: 'Send a sample' }).click();
    await expect(page.getByText('The sample went through.')).toBeVisible();
    expect(receiver.messages.filter((text) => text.includes('"reason":"test"')), 'beside what fires already').toHaveLength(1);
    await page.reload();
    await expect(page.getByText(/^whsec_/), 'it is not shown again').toHaveCount(0);

    // The rule, with the keyboard alone.
    await open(page, '/alerts/rules/new');
    const would = page.getByRole('region', { name: 'What it would have done' });
    await expect(would.locator('[data-fired]')).toBeVisible();
    await page.getByLabel('Name', { exact: true }).focus();
    await page.keyboard.type(name);
    await page.keyboard.press('Tab');
    await expect(page.getByLabel('When what happens')).toBeFocused();
    await page.getByLabel('If it lasts').focus();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('1 h');
    const longer = would.getByRole('button', { name: /^1 h/ });
    if (await longer.count()) await expect(longer).toHaveAttribute('aria-pressed', 'true');
    await page.getByLabel('If it lasts').focus();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('at once');
    await expect(would.locator('[data-sentence]')).not.toBeEmpty();
    await page.getByRole('button', { name: 'Save and switch on' }).focus();
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/\/alerts\/rules\/[0-9a-f-]{36}\?saved=\d+$/);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);

    // Who is told.
    await open(page, '/alerts/routes/new');
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel(name, { exact: true }).check();
    await page.getByLabel(new RegExp(`^${name} \\(`)).check();
    await page.getByRole('button', { name: 'Save the route' }).click();
    await expect(page).toHaveURL('/alerts/routes');
    const route = await named(linewatch, '/api/v1/routes', name);
    await linewatch.ask(`/api/v1/routes/${route.id}`, 'PATCH', { position: 1 });

    // It fires, on the open page.
    const victim = await linewatch.untouched();
    await open(page, '/alerts');
    await linewatch.act(victim, 'change_credentials');
    const row = alertRow(page, victim).filter({ hasText: name });
    await expect(row).toHaveAttribute('data-state', 'firing', { timeout: 40_000 });
    // The rule that came with Linewatch tells of it too.
    const told = () => receiver.messages.find((text) => text.includes(victim.customer.name) && text.includes(`"rule":"${name}"`));
    await expect.poll(() => told() !== undefined, { timeout: 20_000 }).toBe(true);

    // Whoever opens the link of the message is asked; only the answer takes it.
    const message = told()!;
    const link = (JSON.parse(message) as { data: { acknowledge: string } }).data.acknowledge;
    expect(link, message).toMatch(/^https?:/);
    const rule = await named(linewatch, '/api/v1/rules', name);
    const stored = async () => (await list<Alert>(linewatch, `/api/v1/alerts?rule=${rule.id}`)).find((one) => one.subject.id === victim.id);
    await page.goto(link);
    expect((await stored())?.acknowledged_by, 'looking takes nothing').toBeNull();
    await page.locator('form[method="post"] button').last().click();
    await expect.poll(async () => (await stored())?.acknowledged_by).not.toBeNull();

    // One click silences it.
    await open(page, '/alerts');
    await expect(row).toContainText('has it');
    await row.getByRole('link', { name: /^Silence/ }).click();
    await expect(page).toHaveURL(/\/alerts\/silences\/new\?alert=/);
    await expect(page.locator('[data-mutes="1"]')).toBeVisible();
    await page.getByLabel('Why', { exact: true }).first().fill('They know, and work on it');
    await page.getByRole('button', { name: '1 hour' }).click();
    await expect(page).toHaveURL('/alerts/silences');
    const silence = page.locator('[data-silence]').filter({ hasText: 'They know, and work on it' });
    await expect(silence).toContainText('mutes 1 alert');
    await silence.getByRole('button', { name: 'End now' }).click();
    await expect(silence).toHaveCount(0);

    // The connection says who was told.
    await open(page, `/connections/${victim.id}`);
    await expect(page.getByRole('region', { name: 'Who was told' })).toContainText(name);

    // And the explainer says why.
    await open(page, '/alerts/routes');
    await page.getByLabel('Or a sample about').fill(victim.key);
    await page.getByLabel('by the rule').selectOption({ label: name });
    await page.getByRole('button', { name: 'Try the sample' }).click();
    await expect(page.locator('[data-stage="route"]').first()).toContainText(name);
  } finally {
    await tidy(linewatch, [name]);
    receiver.close();
  }
});

/** The newest mail with these words in its text, as soon as the demo has caught it. */
async function caught(linewatch: Linewatch, words: string): Promise<Mail> {
  const ask = async <T>(path: string) => (await (await fetch(`${linewatch.ready.mail_url}${path}`)).json()) as T;
  let found: Mail | undefined;
  const look = async () => {
    for (const { id } of (await ask<{ items: Mail[] }>('/mails')).items.slice(0, 20)) {
      const mail = await ask<Mail>(`/mails/${id}`);
      if (mail.text?.includes(words)) return (found = mail);
    }
    return undefined;
  };
  await expect.poll(look, { message: `a mail says “${words}”`, timeout: 40_000 }).toBeTruthy();
  return found!;
}

test('an alert is taken from the e-mail that told of it', async ({ page, context, linewatch }) => {
  test.setTimeout(120_000);
  const name = fresh('By mail');
  const victim = await linewatch.untouched();
  try {
    const rule = await linewatch.ask<Named>('/api/v1/rules', 'POST', {
      name,
      note: `${name}, says its rule.`,
      when: { kind: 'connection_health', health: ['reauthorization_required'] },
      scope: { customers: [victim.customer.id] },
      group_by: 'subject',
      severity: 'critical',
    });
    await linewatch.act(victim, 'change_credentials');
    const mail = await caught(linewatch, `Note: ${name}, says its rule.`);
    expect(mail.subject).toContain('[Critical]');
    expect(mail.to).toEqual(['support@example.com']);
    const link = /^Acknowledge: (\S+)/m.exec(mail.text!)?.[1];
    expect(link, mail.text!).toMatch(new RegExp(`^${linewatch.ready.url}/a/`));

    // As people find it: on the catcher's page, in the mail's own HTML, whose link opens beside it.
    await page.goto(linewatch.ready.mail_url);
    await page.locator(`a[href="/read/${mail.id}"]`).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(mail.subject);
    const button = page.frameLocator('iframe').getByRole('link', { name: 'Acknowledge' });
    await expect(button).toHaveAttribute('href', link!);
    const opened = context.waitForEvent('page');
    await button.click();
    const asked = await opened;
    await expect(asked).toHaveURL(link!);

    // Opening takes nothing; the answer does.
    const stored = async () => (await list<Alert>(linewatch, `/api/v1/alerts?rule=${rule.id}`)).find((one) => one.subject.id === victim.id);
    await expect(asked.getByRole('listitem').first()).toContainText(victim.customer.name);
    expect((await stored())?.acknowledged_by, 'looking takes nothing').toBeNull();
    await asked.getByRole('button', { name: 'Acknowledge' }).click();
    await expect(asked.getByRole('heading', { name: 'Acknowledged' })).toBeVisible();
    await expect.poll(async () => (await stored())?.acknowledged_by).not.toBeNull();
  } finally {
    await tidy(linewatch, [name]);
  }
});

test('what is wrong with a rule is said at its words, and what was typed stays', async ({ page }) => {
  await open(page, '/alerts/rules/new');
  await page.getByLabel('When what happens').selectOption({ label: 'a sync is late' });
  await expect(page.getByLabel('Cadences', { exact: true })).toBeVisible();
  await expect(page.getByLabel('Must sign in again')).toBeHidden();
  await page.getByLabel('If it lasts').fill('for a while');
  await page.getByRole('button', { name: 'Save and switch on' }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'need another look' })).toBeVisible();
  await expect(page.getByText('Say how many cadences, or how long.').first()).toBeVisible();
  await expect(page.getByLabel('If it lasts')).toHaveValue('for a while');
});

test('a rule is switched off in its place, and on again', async ({ page, linewatch }) => {
  await open(page, '/alerts/rules');
  const rule = page.locator('[data-rule]').first();
  const toggle = rule.getByRole('switch');
  const before = await toggle.getAttribute('aria-checked');
  await toggle.click();
  await expect(toggle).toHaveAttribute('aria-checked', before === 'true' ? 'false' : 'true');
  await toggle.click();
  await expect(toggle).toHaveAttribute('aria-checked', before!);
  const id = await rule.getAttribute('data-rule');
  expect((await linewatch.ask<{ enabled: boolean }>(`/api/v1/rules/${id}`)).enabled).toBe(before === 'true');
});

test('a channel that answers no says so in its own words', async ({ page, linewatch }) => {
  const name = fresh('Nobody there');
  try {
    await open(page, '/alerts/channels/new');
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('By what means').selectOption('webhook');
    await page.getByLabel('Webhook address', { exact: true }).fill('http://127.0.0.1:1/nothing');
    await page.getByRole('button', { name: 'Add the channel' }).click();
    await page.getByRole('button', { name: 'Send a sample' }).click();
    await expect(page.getByRole('alert').filter({ hasText: 'The sample did not arrive.' })).toBeVisible();
  } finally {
    await tidy(linewatch, [name]);
  }
});

test.describe('without wasm', () => {
  test.use({ javaScriptEnabled: false });

  test('the words of a rule are chosen, tried and saved', async ({ page, linewatch }) => {
    const name = fresh('Unstable');
    try {
      await page.goto('/alerts/rules/new');
      await page.getByLabel('Name', { exact: true }).fill(name);
      await page.getByLabel('When what happens').selectOption({ label: 'a connection is unstable' });
      await page.getByRole('button', { name: 'Choose' }).click();
      await expect(page.getByLabel('Name', { exact: true })).toHaveValue(name);
      await page.getByLabel('How many times').fill('4');
      await page.getByLabel('Within', { exact: true }).fill('6 h');
      await page.getByRole('button', { name: 'Preview' }).click();
      await expect(page.locator('[data-fired]')).toBeVisible();
      await page.getByLabel('If it lasts').fill('for a while');
      await page.getByRole('button', { name: 'Save and switch on' }).click();
      await expect(page.getByText('“for a while” is not a duration.').first()).toBeVisible();
      await expect(page.getByLabel('How many times'), 'nothing typed is lost').toHaveValue('4');
      await page.getByLabel('If it lasts').fill('15 min');
      await page.getByRole('button', { name: 'Save and switch on' }).click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
      const rule = await named(linewatch, '/api/v1/rules', name);
      expect(await linewatch.ask(`/api/v1/rules/${rule.id}`)).toMatchObject({ for_seconds: 900, when: { kind: 'flapping', transitions: 4 } });
    } finally {
      await tidy(linewatch, [name]);
    }
  });

  test('maintenance that comes again is planned and ended', async ({ page }) => {
    const reason = fresh('Their backup');
    await page.goto('/alerts/maintenance/new');
    await page.getByLabel('How often').selectOption('weekly');
    await page.getByText('When it comes again', { exact: true }).first().click();
    await page.getByLabel('Saturday').check();
    await page.getByLabel('At', { exact: true }).fill('22:00');
    await page.getByLabel('For', { exact: true }).fill('2 h');
    await page.getByLabel('By the clocks of').fill('Europe/Berlin');
    await page.getByLabel('Reason').fill(reason);
    await page.getByRole('button', { name: 'Plan the maintenance' }).click();
    const planned = page.locator('[data-maintenance]').filter({ hasText: reason });
    await expect(planned).toContainText('Every Saturday at 22:00, for 2 h, by the clocks of Europe/Berlin');
    await planned.getByRole('button', { name: 'End now' }).click();
    await expect(planned).toHaveCount(0);
  });
});

test('what is taken elsewhere leaves the number beside “Alerts” at once', async ({ page, linewatch }) => {
  const victim = await linewatch.untouched();
  await linewatch.act(victim, 'change_credentials');
  const untaken = async () =>
    (await list<Alert>(linewatch, '/api/v1/alerts?state=firing&limit=200')).filter((one) => !one.acknowledged_by && !one.muted_by);
  let mine: Alert | undefined;
  await expect.poll(async () => (mine = (await untaken()).find((one) => one.subject.id === victim.id)), { timeout: 20_000 }).toBeDefined();
  await open(page, '/system');
  const number = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: /^Alerts/ }).locator('.n');
  const agrees = () =>
    expect.poll(async () => Number(await number.textContent()) - (await untaken()).length, { timeout: 5_000 }).toBe(0);
  await agrees();
  await linewatch.ask(`/api/v1/alerts/${mine!.id}/acknowledge`, 'POST');
  await agrees();
});
