import type { Page } from '@playwright/test';
import { expect, test, type Connection, type Linewatch } from './linewatch';
import { connection, open } from './page';

/** A connection whose customer must sign in again. */
async function broken(linewatch: Linewatch): Promise<Connection> {
  const victim = await linewatch.untouched();
  await linewatch.act(victim, 'change_credentials');
  await linewatch.becomes(victim, 'reauthorization_required');
  return victim;
}

function section(page: Page) {
  return page.getByRole('region', { name: 'Reconnect' });
}

test('the next step makes a link, which is shown once with a mail, and is followed until a good sync proves it', async ({ page, linewatch }) => {
  const victim = await broken(linewatch);
  await open(page, `/connections/${victim.id}`);
  const next = page.getByRole('region', { name: 'Next: the customer must act' });
  await next.getByRole('button', { name: 'Make a reconnect link' }).click();
  const made = section(page).getByRole('status');
  await expect(made).toContainText('it is not shown again');
  const url = (await made.locator('code').textContent())!;
  expect(url).toMatch(new RegExp(`^${linewatch.ready.url}/r/`));
  await expect(made.getByRole('button', { name: 'Copy link' })).toBeEnabled();
  const mail = (await made.getByRole('link', { name: /^Write/ }).getAttribute('href'))!;
  expect(mail).toMatch(/^mailto:/);
  expect(decodeURIComponent(mail)).toContain(victim.platform.name);
  expect(decodeURIComponent(mail)).toContain(url);
  expect(page.url(), 'the link stands in no address').not.toContain('/r/');
  await expect(section(page).getByRole('listitem').first()).toContainText('Made');

  await linewatch.act(victim, 'reconnect');
  await expect(connection(page, victim.id)).toHaveAttribute('data-health', 'healthy', { timeout: 40_000 });
  await page.reload();
  await expect(section(page).locator('code'), 'it is not told again').toHaveCount(0);
});

test('a second link takes the place of the first', async ({ page, linewatch }) => {
  const victim = await broken(linewatch);
  await open(page, `/connections/${victim.id}`);
  const make = page.getByRole('button', { name: 'Make a reconnect link' });
  await make.click();
  const made = section(page).getByRole('status').locator('code');
  await expect(made).toHaveText(/\/r\//);
  const first = (await made.textContent())!;
  await make.click();
  await expect(made).not.toHaveText(first);
  await section(page).getByText('One link before').click();
  await expect(section(page).getByRole('listitem').filter({ hasText: 'Expired' })).toBeVisible();
});

test.describe('without wasm', () => {
  test.use({ javaScriptEnabled: false });

  test('a link is made and shown once', async ({ page, linewatch }) => {
    const victim = await broken(linewatch);
    await page.goto(`/connections/${victim.id}`);
    await page.getByRole('button', { name: 'Make a reconnect link' }).click();
    await expect(section(page).locator('code')).toHaveText(/\/r\//);
    await expect(page).toHaveURL(`/connections/${victim.id}#reconnect`);
    await page.reload();
    await expect(section(page).locator('code')).toHaveCount(0);
    await expect(section(page).getByRole('listitem').first()).toContainText('Made');
  });
});
