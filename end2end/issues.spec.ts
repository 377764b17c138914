// Issues: they appear by themselves, are taken, sleep and end; who was slower is told; the keyboard is enough.

import type { Locator, Page } from '@playwright/test';
import { expect, Linewatch, test, type Connection } from './linewatch';
import { open } from './page';

interface Issue {
  id: string;
  number: number;
  connection: { id: string; name: string } | null;
  state: string;
  assignee: string | null;
  snooze_until: string | null;
  version: number;
}

/** The issue of a connection that is not over; waits until there is one. */
async function issueOf(linewatch: Linewatch, victim: Connection): Promise<Issue> {
  let found: Issue | undefined;
  await expect
    .poll(async () => {
      const { items } = await linewatch.ask<{ items: Issue[] }>(`/api/v1/issues?connection=${victim.id}`);
      found = items.find((one) => one.state !== 'resolved');
      return found?.state;
    })
    .toBeDefined();
  return found!;
}

const stored = (linewatch: Linewatch, issue: Issue) => linewatch.ask<Issue>(`/api/v1/issues/${issue.id}`);

function row(page: Page, issue: Issue): Locator {
  return page.getByRole('main').locator(`tr[data-issue="${issue.id}"]`);
}

const headline = (page: Page) => page.getByRole('main').locator('.headline[data-issue]');

/** Breaks a connection, and answers it with its issue. */
async function trouble(linewatch: Linewatch): Promise<[Connection, Issue]> {
  const victim = await linewatch.untouched();
  await linewatch.act(victim, 'change_credentials');
  return [victim, await issueOf(linewatch, victim)];
}

test('a changed password becomes an issue on the open page, and is taken, snoozed, waited for and resolved', async ({ page, linewatch }) => {
  const [, first] = await trouble(linewatch);
  await open(page, '/issues');
  await expect(row(page, first)).toHaveAttribute('data-state', 'open');
  const [victim, issue] = await trouble(linewatch);
  // Rows come only when they are asked for.
  await page.getByRole('button', { name: /changed – show$/ }).click();
  await expect(row(page, issue)).toContainText('Password changed at the source');
  await expect(row(page, issue)).toContainText(victim.customer.name);
  await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: /^Issues/ })).toContainText(/\d/);

  await row(page, issue).getByRole('link', { name: victim.customer.name }).click();
  await expect(page).toHaveURL(`/issues/${issue.id}`);
  await expect(headline(page)).toHaveAttribute('data-state', 'open');
  await expect(page.getByRole('heading', { name: 'Next: the customer must act' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Open the connection' })).toHaveAttribute('href', `/connections/${victim.id}`);

  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(headline(page)).toHaveAttribute('data-state', 'acknowledged');

  await page.getByText('Assign or snooze').click();
  await page.getByLabel('Assign to').fill('Tom');
  await page.getByRole('button', { name: 'Assign', exact: true }).click();
  await expect(page.getByRole('complementary', { name: 'Facts' })).toContainText('Tom');

  await page.getByRole('button', { name: 'Tomorrow 9:00' }).click();
  await expect(headline(page)).toHaveAttribute('data-state', 'snoozed');
  const wakes = new Date((await stored(linewatch, issue)).snooze_until!);
  expect(wakes.toLocaleTimeString('en-GB', { timeZone: 'Europe/Berlin' }), 'nine in the zone of the person').toBe('09:00:00');

  await page.getByRole('button', { name: 'Waiting on customer' }).click();
  await expect(headline(page)).toHaveAttribute('data-state', 'waiting_on_customer');

  await page.getByLabel('Write something down').fill('Wrote to their administrator.');
  await page.getByRole('button', { name: 'Add the note' }).click();
  const story = page.getByRole('region', { name: 'What happened' });
  await expect(story.getByRole('listitem').first()).toContainText('Wrote to their administrator.');
  await expect(page.getByLabel('Write something down'), 'it cannot be sent twice').toHaveValue('');

  await page.getByRole('button', { name: 'Resolve' }).click();
  await expect(headline(page)).toHaveAttribute('data-state', 'resolved');
  await expect(page.getByRole('button', { name: 'Acknowledge' })).toBeHidden();
});

test('who acts on what has changed meanwhile is told, and sees how it stands', async ({ page, linewatch }) => {
  const [, issue] = await trouble(linewatch);
  await open(page, `/issues/${issue.id}`);
  await expect(headline(page)).toHaveAttribute('data-state', 'open');
  // Nothing that changes reaches the page, so it acts on what it has seen.
  await page.route('**/_app/change-issue', async (route) => {
    const { version } = await stored(linewatch, issue);
    await linewatch.ask(`/api/v1/issues/${issue.id}`, 'PATCH', { state: 'waiting_on_customer', version });
    await route.continue();
  });
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByText('What you see now is how it stands since then.')).toBeVisible();
  await expect(headline(page)).toHaveAttribute('data-state', 'waiting_on_customer');
  expect((await stored(linewatch, issue)).state).toBe('waiting_on_customer');
});

test('the keyboard walks the rows, takes one, and the way back is offered', async ({ page, linewatch }) => {
  const [, issue] = await trouble(linewatch);
  await open(page, `/issues?state=&connection=${issue.connection!.id}`);
  await page.keyboard.press('j');
  await expect(row(page, issue).getByRole('link')).toBeFocused();
  await page.keyboard.press('x');
  await expect(row(page, issue).getByRole('checkbox')).toBeChecked();
  await page.keyboard.press('x');
  await expect(row(page, issue).getByRole('checkbox')).not.toBeChecked();
  await page.keyboard.press('e');
  await expect(row(page, issue)).toHaveAttribute('data-state', 'acknowledged');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(row(page, issue)).toHaveAttribute('data-state', 'open');
  expect(await stored(linewatch, issue)).toMatchObject({ state: 'open', assignee: issue.assignee });
  await row(page, issue).getByRole('link').focus();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(`/issues/${issue.id}`);
});

test('several are taken at once', async ({ page, linewatch }) => {
  const [, one] = await trouble(linewatch);
  const [, two] = await trouble(linewatch);
  await open(page, '/issues');
  for (const issue of [one, two]) await row(page, issue).getByRole('checkbox').check();
  await expect(page.getByText('With the 2 selected')).toBeVisible();
  await page.getByRole('main').getByRole('button', { name: 'Acknowledge', exact: true }).first().click();
  for (const issue of [one, two]) await expect(row(page, issue)).toHaveAttribute('data-state', 'acknowledged');
  await expect(page.getByText('2 issues changed')).toBeVisible();
});

test('a tab says what would be there', async ({ page }) => {
  await open(page, '/issues?state=snoozed&assignee=nobody-of-this-name');
  await expect(page.getByRole('heading', { level: 2 }).first()).toBeVisible();
  await page.getByRole('list', { name: 'Issues by state' }).getByRole('link', { name: 'All' }).click();
  await expect(page).toHaveURL('/issues?state=');
});

test('connections that match are checked together, after a look at how many', async ({ page, linewatch }) => {
  const { matching } = await linewatch.connections('platform=netsuite&limit=1');
  await open(page, '/connections?platform=netsuite');
  await page.getByRole('button', { name: 'Check now' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`Check ${matching} connections now?`);
  await page.getByRole('button', { name: 'Check them' }).click();
  await expect(page).toHaveURL(/\/bulk\/[0-9a-f-]{36}$/);
  await expect(page.locator('[data-bulk="done"]')).toBeVisible({ timeout: 40_000 });
});

test.describe('without wasm', () => {
  test.use({ javaScriptEnabled: false });

  test('an issue is taken from its row, and snoozed by a time in UTC', async ({ page, linewatch }) => {
    const [, issue] = await trouble(linewatch);
    // What is a moment old may still change, and then nothing is taken.
    await expect(async () => {
      await page.goto(`/issues?state=&connection=${issue.connection!.id}`);
      await row(page, issue).getByRole('button', { name: `Acknowledge #${issue.number}` }).click({ timeout: 2_000 });
      await expect(row(page, issue)).toHaveAttribute('data-state', 'acknowledged', { timeout: 2_000 });
    }).toPass();
    await page.goto(`/issues/${issue.id}`);
    await page.getByText('Assign or snooze').click();
    const until = new Date(Date.now() + 86_400_000).toISOString().slice(0, 16);
    await page.getByLabel('Until, in UTC').fill(until);
    await page.getByRole('button', { name: 'Snooze', exact: true }).click();
    await expect(headline(page)).toHaveAttribute('data-state', 'snoozed');
    expect((await stored(linewatch, issue)).snooze_until).toContain(until);
  });

  test('who acts in the list on what has changed meanwhile is told, and sees how it stands', async ({ page, linewatch }) => {
    const [, issue] = await trouble(linewatch);
    await page.goto(`/issues?state=&connection=${issue.connection!.id}`);
    const { version } = await stored(linewatch, issue);
    await linewatch.ask(`/api/v1/issues/${issue.id}`, 'PATCH', { state: 'waiting_on_customer', version });
    await row(page, issue).getByRole('button', { name: `Acknowledge #${issue.number}` }).click();
    await expect(page.getByText('This issue has changed meanwhile')).toBeVisible();
    await expect(row(page, issue)).toHaveAttribute('data-state', 'waiting_on_customer');
    expect((await stored(linewatch, issue)).state).toBe('waiting_on_customer');
  });

  test('selected connections are assigned', async ({ page, linewatch }) => {
    const wanted = await linewatch.untouched('limit=50');
    await page.goto('/connections');
    await page.getByRole('main').locator(`[data-connection="${wanted.id}"]`).getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Assign', exact: true }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Assign the issues of 1 connection?');
  });
});
