// What failed: found, opened, compared and mended, one by one and all at once; by keyboard, and without wasm.

import { createHmac, randomUUID } from 'node:crypto';
import type { Locator, Page } from '@playwright/test';
import type { Ready } from './demo';
import { expect, Linewatch, test } from './linewatch';
import { open } from './page';
import { Receiver } from './receiver';

interface Endpoint {
  id: string;
  name: string;
  health: string;
  waiting: number;
}

interface Failure {
  kind: string;
  id: string;
  endpoint: { id: string; name: string } | null;
  connection: { id: string; name: string } | null;
  error: { class: string; message: string };
}

const ready = () => JSON.parse(process.env.END2END_READY!) as Ready;

/** Sends Makini's webhooks of a kind that nobody else's endpoint asks for. */
async function send(linewatch: Linewatch, kind: string, many: number): Promise<void> {
  const { items } = await linewatch.connections('limit=1');
  for (let n = 0; n < many; n++) {
    const event = { id: `evt_${randomUUID()}`, event: kind, timestamp: new Date().toISOString(), connection_id: items[0].key, data: { number: `PO-${n}` } };
    const body = JSON.stringify(event);
    const signature = createHmac('sha256', ready().webhook_secret).update(body).digest('base64');
    const answer = await fetch(ready().webhook_url, { method: 'POST', body, headers: { 'content-type': 'application/json', 'x-webhook-signature': signature } });
    expect(answer.status).toBe(200);
  }
}

const failures = async (linewatch: Linewatch, endpoint: Endpoint) =>
  (await linewatch.ask<{ items: Failure[] }>(`/api/v1/failures?kind=delivery&endpoint=${endpoint.id}&limit=200`)).items;

/** What its connection is called by Makini: no other is called so. */
const keyOf = async (linewatch: Linewatch, failure: Failure) =>
  (await linewatch.ask<{ key: string }>(`/api/v1/connections/${failure.connection!.id}`)).key;

function row(page: Page, failure: Failure): Locator {
  return page.getByRole('main').locator(`tr[data-failure="${failure.id}"]`);
}

const pane = (page: Page) => page.getByRole('region', { name: 'The failure that is open' });

/** An endpoint that fails, with so many failures. */
class Trouble {
  receiver!: Receiver;
  endpoint!: Endpoint;
  failed!: Failure[];
  kind!: string;

  static async make(linewatch: Linewatch, many: number): Promise<Trouble> {
    const trouble = new Trouble();
    trouble.receiver = await Receiver.listen();
    trouble.kind = `till.opened_${randomUUID().slice(0, 8)}`;
    const body = { name: `till-${randomUUID().slice(0, 8)}`, url: trouble.receiver.url, filter: { kinds: [trouble.kind] } };
    trouble.endpoint = await linewatch.ask<Endpoint>('/api/v1/endpoints', 'POST', body);
    await send(linewatch, trouble.kind, many);
    await expect
      .poll(async () => (trouble.failed = await failures(linewatch, trouble.endpoint)).length, { timeout: 30_000 })
      .toBe(many);
    return trouble;
  }

  async end(linewatch: Linewatch): Promise<void> {
    await linewatch.ask(`/api/v1/endpoints/${this.endpoint.id}`, 'DELETE');
    await this.receiver.close();
  }
}

/** Runs a story beside a failing endpoint, and takes it away afterwards. */
async function withTrouble(linewatch: Linewatch, many: number, story: (trouble: Trouble) => Promise<void>): Promise<void> {
  const trouble = await Trouble.make(linewatch, many);
  try {
    await story(trouble);
  } finally {
    await trouble.end(linewatch);
  }
}

test('a failed delivery is found by its filters, opened, compared, and retried in its place', async ({ page, linewatch }) => {
  await withTrouble(linewatch, 2, async ({ receiver, endpoint, failed, kind }) => {
    await open(page, '/webhooks');
    await page.getByLabel('Endpoint').selectOption({ label: endpoint.name });
    await expect(page).toHaveURL(new RegExp(`endpoint=${endpoint.id}`));
    await page.getByRole('list', { name: 'Failures by kind' }).getByRole('link', { name: /^Deliveries/ }).click();
    await expect(page).toHaveURL(/kind=delivery/);
    const [first] = failed;
    await expect(row(page, first)).toContainText(kind);

    await row(page, first).getByRole('link').click();
    await expect(page).toHaveURL(new RegExp(`open=delivery%3A${first.id}`));
    await expect(pane(page).getByRole('heading', { level: 2 })).toContainText(`${kind} did not reach ${endpoint.name}`);
    await expect(pane(page)).toContainText('HTTP 500');
    await expect(pane(page).locator('pre.payload').first()).toContainText('"number": "PO-');
    await expect(pane(page).getByRole('link', { name: 'All since then for this endpoint', exact: true })).toBeVisible();

    // It fails again, otherwise; the difference is marked.
    receiver.status = 503;
    await pane(page).getByRole('button', { name: /Retry now/ }).click();
    await expect(pane(page).locator('[data-attempt="2"]')).toContainText('by hand');
    await expect(pane(page).locator('[data-attempt="2"] .differs')).toContainText('the status');

    receiver.status = 200;
    await pane(page).getByRole('button', { name: /Retry now/ }).click();
    await expect(pane(page)).toContainText('Delivered', { timeout: 15_000 });
    await expect(row(page, first), 'the row stays where it was').toContainText('No longer failed');
    expect(receiver.got.filter((id) => id === receiver.got.at(-1)).length, 'every attempt had the same id').toBeGreaterThan(2);
    await pane(page).getByRole('link', { name: 'Close' }).click();
    await expect(pane(page)).toBeHidden();
  });
});

test('what is hidden in a payload is shown as it came, once it is asked for', async ({ page, linewatch }) => {
  await withTrouble(linewatch, 1, async ({ failed }) => {
    await open(page, `/webhooks?open=delivery%3A${failed[0].id}`);
    await expect(pane(page).locator('pre.revealed')).toHaveCount(0);
    await pane(page).getByRole('button', { name: 'Show as it came' }).click();
    await expect(pane(page).locator('pre.revealed')).toContainText('PO-0');
    await expect(pane(page)).toContainText('That you have seen it is written down.');
  });
});

test('failures are found by their error and by their connection, and all filters are cleared at once', async ({ page, linewatch }) => {
  await withTrouble(linewatch, 2, async ({ endpoint, failed }) => {
    const { connection, error } = failed[0];
    const filters = page.getByRole('list', { name: 'Filters' });
    await open(page, `/webhooks?endpoint=${endpoint.id}`);
    await page.getByLabel('Error', { exact: true }).selectOption(error.class);
    await expect(page).toHaveURL(new RegExp(`error=${error.class}`));
    await expect(row(page, failed[0])).toBeVisible();

    await page.getByLabel('Connection', { exact: true }).fill(await keyOf(linewatch, failed[0]));
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/about=/);
    await expect(filters).toContainText(connection!.name);
    await expect(row(page, failed[0])).toBeVisible();
    // What stands in the address from here on is the connection itself.
    await page.getByRole('list', { name: 'Failures by kind' }).getByRole('link', { name: /^Deliveries/ }).click();
    await expect(page).toHaveURL(new RegExp(`connection=${connection!.id}`));

    await page.getByLabel('Connection', { exact: true }).fill('nobody is called so');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Which connection is meant?');
    await expect(page.getByRole('link', { name: /^Retry all/ }), 'nothing is retried of a connection that nobody knows').toHaveCount(0);
    await filters.getByRole('link', { name: 'Clear all filters' }).click();
    await expect(page).toHaveURL(/\/webhooks$/);
    await expect(page.getByRole('list', { name: 'Failures by kind' }).getByRole('link', { name: /^Notifications/ })).toBeVisible();
  });
});

test('everything since a time for one endpoint is two clicks away from its page', async ({ page, linewatch }) => {
  await withTrouble(linewatch, 2, async ({ receiver, endpoint }) => {
    await open(page, `/webhooks/endpoints/${endpoint.id}`);
    receiver.status = 200;
    await page.getByLabel(/^Everything since today at/).fill('00:00');
    await page.getByRole('button', { name: 'Retry it…' }).click();
    await expect(page).toHaveURL(new RegExp(`/webhooks/retries/new\\?.*endpoint=${endpoint.id}`));
    await expect(page).toHaveURL(/since=\d{4}-/);
    await page.getByRole('button', { name: 'Retry 2 deliveries' }).click();
    await expect(page.locator('[data-retry="done"]')).toBeVisible({ timeout: 40_000 });
    await expect.poll(async () => (await failures(linewatch, endpoint)).length, { timeout: 40_000 }).toBe(0);
  });
});

test('a time of day is understood where the person is', async ({ page }) => {
  await open(page, '/webhooks');
  await page.getByLabel(/^Since today at/).fill('14:05');
  await page.getByRole('button', { name: 'Apply' }).click();
  const local = new Date(new Date().toLocaleDateString('sv-SE', { timeZone: 'Europe/Berlin' }) + 'T14:05:00Z');
  const shown = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', timeStyle: 'short' });
  await expect(page).toHaveURL(/since=/);
  const since = new Date(new URL(page.url()).searchParams.get('since')!);
  expect(shown.format(since)).toBe('14:05');
  expect(Math.abs(since.getTime() - local.getTime()), 'of today').toBeLessThan(3 * 3_600_000);
  await expect(page.getByRole('list', { name: 'Filters' })).toContainText('14:05');
});

test('failures with one cause are one line, and all that match are retried with progress, pause and cancel', async ({ page, linewatch }) => {
  test.setTimeout(120_000);
  await withTrouble(linewatch, 6, async ({ receiver, endpoint }) => {
    await open(page, `/webhooks?endpoint=${endpoint.id}&group=cause`);
    await expect(page.locator('.group[data-group="delivery"]')).toContainText('6 deliveries');
    await expect(page.locator('.group[data-group="delivery"]')).toContainText(endpoint.name);
    await page.locator('.group[data-group="delivery"]').getByRole('link', { name: /^Retry all 6/ }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Retry 6 deliveries now?');

    // It runs so slowly that it can be stopped. Eight failures in a row would make deliveries wait, so these arrive.
    receiver.status = 200;
    await page.getByLabel('How many a second, at most').fill('1');
    await page.getByRole('button', { name: 'Retry 6 deliveries' }).click();
    await expect(page).toHaveURL(/\/webhooks\/retries\/[0-9a-f-]{36}$/);
    await page.getByRole('button', { name: 'Pause' }).click();
    await expect(page.locator('[data-retry="paused"]')).toBeVisible();
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect(page.locator('[data-retry="running"]')).toBeVisible();
    await page.getByRole('button', { name: 'Cancel the rest' }).click();
    await expect(page.locator('[data-retry="cancelled"]')).toContainText(/: \d+ (was|were) already let go when it was cancelled\.$/);

    await open(page, `/webhooks?kind=delivery&endpoint=${endpoint.id}`);
    await page.getByRole('link', { name: /^Retry (all \d+|it)…$/ }).first().click();
    await page.getByRole('button', { name: /^Retry \d+ deliver(y|ies)$/ }).click();
    await expect(page.locator('[data-retry="done"]')).toBeVisible({ timeout: 40_000 });
    await expect.poll(async () => (await failures(linewatch, endpoint)).length, { timeout: 40_000 }).toBe(0);
  });
});

test('the keyboard walks the failures, selects, opens and retries one', async ({ page, linewatch }) => {
  await withTrouble(linewatch, 2, async ({ receiver, endpoint }) => {
    await open(page, `/webhooks?endpoint=${endpoint.id}`);
    const rows = page.getByRole('main').locator('tr[data-failure]');
    await expect(rows).toHaveCount(2);
    await page.keyboard.press('j');
    await expect(rows.first().getByRole('link')).toBeFocused();
    await page.keyboard.press('x');
    await expect(rows.first().getByRole('checkbox')).toBeChecked();
    await expect(page.getByRole('button', { name: 'Retry the 1 selected…' })).toBeVisible();
    await page.keyboard.press('x');
    await page.keyboard.press('Enter');
    await expect(pane(page)).toBeVisible();
    receiver.status = 200;
    await rows.first().getByRole('link').focus();
    await page.keyboard.press('r');
    await expect(rows.first()).toContainText('No longer failed', { timeout: 15_000 });
  });
});

test('the keyboard retries all that match, sees how far it is, and cancels the rest', async ({ page, linewatch }) => {
  test.setTimeout(120_000);
  await withTrouble(linewatch, 6, async ({ receiver, endpoint }) => {
    receiver.status = 200;
    await open(page, `/webhooks?kind=delivery&endpoint=${endpoint.id}`);
    await page.getByRole('link', { name: /^Retry all 6…$/ }).focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Retry 6 deliveries now?');
    await page.getByLabel('How many a second, at most').fill('1');
    await page.keyboard.press('Tab');
    await expect(page.getByRole('button', { name: 'Retry 6 deliveries' })).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page.locator('[data-retry="running"]')).toBeVisible();
    await expect(page.getByRole('img', { name: /of 6 are through$/ })).toBeVisible();
    await page.getByRole('button', { name: 'Pause' }).focus();
    await page.keyboard.press('Tab');
    await expect(page.getByRole('button', { name: 'Cancel the rest' })).toBeFocused();
    await page.keyboard.press('Enter');
    const said = page.locator('[data-retry="cancelled"]');
    await expect(said).toContainText('already let go when it was cancelled');
    const letGo = Number(/(\d+) (?:was|were) already/.exec((await said.textContent())!)![1]);
    await expect.poll(async () => (await failures(linewatch, endpoint)).length, { timeout: 20_000 }).toBe(6 - letGo);
    // Nothing more goes, however long one waits.
    await page.waitForTimeout(2_500);
    expect((await failures(linewatch, endpoint)).length).toBe(6 - letGo);
  });
});

test('an endpoint is added, shows its secret once, is tested, switched off and removed', async ({ page, linewatch }) => {
  const receiver = await Receiver.listen();
  const name = `shop-${randomUUID().slice(0, 8)}`;
  try {
    await open(page, '/webhooks/endpoints/new');
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Address', { exact: true }).fill('not an address');
    await page.getByLabel('Kinds').fill('till.never');
    await page.getByLabel('sandbox', { exact: false }).first().check();
    await page.getByRole('button', { name: 'Add the endpoint' }).click();
    await expect(page.getByLabel('Address', { exact: true })).toHaveAttribute('aria-invalid', 'true');
    await expect(page.getByLabel('Name', { exact: true }), 'nothing typed is lost').toHaveValue(name);
    await page.getByLabel('Address', { exact: true }).fill(receiver.url);
    await page.getByRole('button', { name: 'Add the endpoint' }).click();
    await expect(page.getByText('it is not shown again')).toBeVisible();
    await expect(page.locator('.made code')).toHaveText(/^whsec_/);
    const secret = await page.locator('.made code').textContent();
    await page.reload();
    await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
    await expect(page.locator('.made')).toHaveCount(0);

    await page.getByRole('button', { name: 'Send a test event' }).click();
    await expect(page.locator('.trial-answer')).toContainText('HTTP 500');
    receiver.status = 204;
    await page.getByRole('button', { name: 'Send a test event' }).click();
    await expect(page.locator('.trial-answer')).toContainText('HTTP 204');

    await page.getByText('New secret', { exact: true }).click();
    await page.getByRole('button', { name: 'Make a new secret' }).click();
    await expect(page.locator('.made code')).toHaveText(/^whsec_/);
    expect(await page.locator('.made code').textContent()).not.toBe(secret);

    await page.getByText('Switch off', { exact: true }).click();
    await page.getByRole('button', { name: 'Switch it off' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveAttribute('data-health', 'disabled');
    await page.getByText('Remove', { exact: true }).click();
    await page.getByRole('button', { name: 'Remove this endpoint' }).click();
    await expect(page).toHaveURL('/webhooks/endpoints');
    await expect(page.getByRole('main').getByRole('link', { name })).toHaveCount(0);
    const { items } = await linewatch.ask<{ items: Endpoint[] }>('/api/v1/endpoints');
    expect(items.map((one) => one.name)).not.toContain(name);
  } finally {
    await receiver.close();
  }
});

test('everything that was received can be found, with what became of it and where it went', async ({ page, linewatch }) => {
  await withTrouble(linewatch, 1, async ({ endpoint, kind }) => {
    await open(page, `/webhooks/events?kind=${kind}`);
    await page.getByRole('main').locator('tr[data-event]').getByRole('link').click();
    await expect(page).toHaveURL(/\/webhooks\/events\/[0-9a-f-]{36}$/);
    await expect(page.getByRole('heading', { level: 1 })).toContainText(kind);
    await expect(page.getByRole('region', { name: 'Forwarded' })).toContainText(endpoint.name);
    await expect(page.getByRole('region', { name: 'Payload' })).toContainText('PO-0');
  });
});

test.describe('without wasm', () => {
  test.use({ javaScriptEnabled: false });

  test('a failure is filtered, opened and retried, and all that match too', async ({ page, linewatch }) => {
    test.setTimeout(120_000);
    await withTrouble(linewatch, 3, async ({ receiver, endpoint, failed }) => {
      await page.goto('/webhooks?kind=delivery');
      await page.getByLabel('Endpoint').selectOption({ label: endpoint.name });
      await page.getByRole('button', { name: 'Apply' }).click();
      await expect(page.getByRole('main').locator('tr[data-failure]')).toHaveCount(3);
      await row(page, failed[0]).getByRole('link').click();
      await expect(pane(page).getByRole('heading', { level: 2 })).toContainText(`did not reach ${endpoint.name}`);
      receiver.status = 200;
      await pane(page).getByRole('button', { name: /Retry now/ }).click();
      await expect.poll(async () => (await failures(linewatch, endpoint)).length, { timeout: 15_000 }).toBe(2);
      await page.reload();
      await expect(pane(page)).toContainText('Delivered');

      await page.getByRole('link', { name: /^Retry all 2…$/ }).click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('Retry 2 deliveries now?');
      await page.getByRole('button', { name: 'Retry 2 deliveries' }).click();
      await expect(page).toHaveURL(/\/webhooks\/retries\/[0-9a-f-]{36}$/);
      await expect
        .poll(async () => {
          await page.reload();
          return page.locator('[data-retry="done"]').count();
        }, { timeout: 40_000 })
        .toBe(1);
    });
  });

  test('a connection is found by its name, and a retry of all that match is cancelled', async ({ page, linewatch }) => {
    await withTrouble(linewatch, 6, async ({ receiver, endpoint, failed }) => {
      await page.goto(`/webhooks?kind=delivery&endpoint=${endpoint.id}`);
      await page.getByLabel('Error', { exact: true }).selectOption(failed[0].error.class);
      await page.getByLabel('Connection', { exact: true }).fill(await keyOf(linewatch, failed[0]));
      await page.getByRole('button', { name: 'Apply' }).click();
      await expect(page.getByRole('list', { name: 'Filters' })).toContainText(failed[0].connection!.name);
      await expect(page.getByRole('main').locator('tr[data-failure]')).toHaveCount(6);
      receiver.status = 200;
      await page.getByRole('link', { name: /^Retry all 6…$/ }).click();
      await page.getByLabel('How many a second, at most').fill('1');
      await page.getByRole('button', { name: 'Retry 6 deliveries' }).click();
      await expect(page).toHaveURL(/\/webhooks\/retries\/[0-9a-f-]{36}$/);
      await page.getByRole('button', { name: 'Cancel the rest' }).click();
      await expect(page.locator('[data-retry="cancelled"]')).toContainText('already let go when it was cancelled');
    });
  });

  test('how long things are kept is changed, and what was typed is kept when it is wrong', async ({ page }) => {
    await page.goto('/settings/retention');
    const before = await page.getByLabel('Requests turned away').inputValue();
    await page.goto('/settings');
    await page.getByRole('link', { name: /How long things are kept/ }).click();
    await page.getByLabel('Requests turned away').fill('0');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByLabel('Requests turned away')).toHaveValue('0');
    await expect(page.getByRole('alert')).toBeVisible();
    await page.getByLabel('Requests turned away').fill('21');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByText(/^Saved\./)).toBeVisible();
    await expect(page.getByLabel('Requests turned away')).toHaveValue('21');
    await page.getByLabel('Requests turned away').fill(before);
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByLabel('Requests turned away')).toHaveValue(before);
  });
});
