// Somebody who may only look: every screen is there, and nothing on it offers what would be refused.

import type { Page } from '@playwright/test';
import { expect, test, type Connection, type Linewatch } from './linewatch';
import { alive } from './page';
import { address, screens } from './screens.mjs';

test.use({ storageState: async ({}, use) => use(JSON.parse(process.env.END2END_VIEWER!)) });

/** What whoever signs in may post: views are everybody's own. */
const ALLOWED = ['/_app/add-view', '/_app/remove-view'];

/** Where a form or a link leads only to do something there. */
const ACTING = /^\/(bulk\/new|webhooks\/retries\/new|webhooks\/endpoints\/new|settings\/sources\/new|alerts\/(rules|silences|maintenance|routes|channels)\/new)/;

/** Buttons of old acquaintance, wherever they stand. */
const KNOWN = /^(Check now|Sync what changed|Sync everything|Make a reconnect link|Acknowledge( #\d+)?|Assign|Assign to me|Waiting on customer|Resolve|Reopen|Add the note|Test the connection|Add the source|Add the endpoint|Retire this secret|Process it again|Show as it came|Pause|Cancel the rest|Take it back|End now|Plan the maintenance|Send a test|Write a rule)$/;

/** Every control of the screen that is not switched off and would do something, in words; those that are closed away too. */
function offers(page: Page): Promise<string[]> {
  return page.evaluate(({ allowed, acting }) => {
    const leads = new RegExp(acting);
    const found: string[] = [];
    const there = (one: Element) => one.closest('[hidden]') === null;
    const main = document.querySelector('main')!;
    for (const button of main.querySelectorAll<HTMLButtonElement>('button, input[type=submit]')) {
      const form = button.form;
      if (!there(button) || button.matches(':disabled') || button.type !== 'submit' || form === null) continue;
      const action = new URL(button.getAttribute('formaction') ?? form.getAttribute('action') ?? '', location.href).pathname;
      const posts = form.method === 'post' && !allowed.includes(action);
      const asks = form.method === 'get' && (leads.test(action) || form.elements.namedItem('test') !== null || form.elements.namedItem('reveal') !== null);
      if (posts || asks) found.push(`${button.textContent?.trim()} → ${action}`);
    }
    for (const link of main.querySelectorAll<HTMLAnchorElement>('a.btn[href]')) {
      if (there(link) && leads.test(link.pathname)) found.push(`${link.textContent?.trim()} → ${link.pathname}`);
    }
    return found;
  }, { allowed: ALLOWED, acting: ACTING.source });
}

/** Nothing would be refused here. */
async function onlyLooks(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  expect(await offers(page), page.url()).toEqual([]);
  await expect(page.getByRole('main').getByRole('button', { name: KNOWN, disabled: false })).toHaveCount(0);
}

for (const screen of screens.filter((screen) => !screen.alone)) {
  test(`${screen.name} offers nothing that would be refused`, async ({ page, linewatch }) => {
    await page.goto(await address(screen, (path: string) => linewatch.ask(path)));
    await alive(page);
    await onlyLooks(page);
  });
}

/** A connection that is broken, and its issue. */
async function trouble(linewatch: Linewatch): Promise<{ victim: Connection; issue: string }> {
  const victim = await linewatch.untouched();
  await linewatch.act(victim, 'change_credentials');
  await linewatch.becomes(victim, 'reauthorization_required');
  const { items } = await linewatch.ask<{ items: { id: string }[] }>(`/api/v1/issues?connection=${victim.id}`);
  return { victim, issue: items[0].id };
}

test('what is broken is seen, and who mends it is said', async ({ page, linewatch }) => {
  const { victim, issue } = await trouble(linewatch);
  await page.goto(`/connections/${victim.id}`);
  await alive(page);
  await onlyLooks(page);
  await expect(page.getByRole('region', { name: /^Next/ })).toContainText('is for the role “Support”');
  for (const path of [`/issues?state=&connection=${victim.id}`, `/issues/${issue}`]) {
    await page.goto(path);
    await alive(page);
    await onlyLooks(page);
  }
  await expect(page.getByText('by the role “Support”')).toBeVisible();
  const answer = await page.request.post('/_app/check-connection', { form: { id: victim.id }, headers: { origin: linewatch.ready.url } });
  expect(answer.status(), 'what is not offered would be refused').toBe(403);
});

test('who may act is offered it on the same screens', async ({ browser, linewatch }) => {
  const { victim } = await trouble(linewatch);
  const context = await browser.newContext({ baseURL: linewatch.ready.url, storageState: JSON.parse(process.env.END2END_SESSION!) });
  const page = await context.newPage();
  for (const [path, button] of [
    ['/connections', 'Check now → /bulk/new'],
    [`/connections/${victim.id}`, 'Make a reconnect link → /_app/make-link'],
    [`/issues?state=&connection=${victim.id}`, 'Acknowledge → /_app/change-issues'],
    ['/settings', 'Add a source → /settings/sources/new'],
  ]) {
    await page.goto(path);
    await alive(page);
    expect(await offers(page), path).toContain(button);
  }
  await context.close();
});
