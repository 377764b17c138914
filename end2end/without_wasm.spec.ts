// Everything that can be seen works before wasm has loaded, and where it never does; forms post without it.

import { expect, NOBODY, test } from './linewatch';
import { connection, legend, order, rows } from './page';

test.use({ javaScriptEnabled: false });

test.describe('signing in and out', () => {
  test.use({ storageState: NOBODY });

  test('works', async ({ page, linewatch }) => {
    await page.goto('/connections?platform=netsuite');
    await expect(page).toHaveURL(/\/login\?next=/);
    await page.getByLabel('E-mail').fill(linewatch.ready.email);
    await page.getByLabel('Password').fill(linewatch.ready.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page).toHaveURL('/connections?platform=netsuite');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(page).toHaveURL('/login');
    await page.goto('/');
    await expect(page).toHaveURL('/login?next=%2F');
  });
});

test('the Overview says what is so, and leads to who must act', async ({ page, linewatch }) => {
  const broken = await linewatch.untouched();
  await linewatch.act(broken, 'change_credentials');
  await linewatch.becomes(broken, 'reauthorization_required');
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(`1 of 250 connections needs attention. ${broken.customer.name} must sign in again.`);
  await legend(page).filter({ hasText: 'Must sign in again' }).click();
  await expect(page).toHaveURL('/connections?health=reauthorization_required');
  await connection(page, broken.id).getByRole('link').click();
  await expect(connection(page, broken.id)).toHaveAttribute('data-health', 'reauthorization_required');
  await expect(page.getByRole('heading', { name: 'Next: the customer must act' })).toBeVisible();
});

test('filters, searches, sorts and pages', async ({ page, linewatch }) => {
  await page.goto('/connections');
  await expect(rows(page)).toHaveCount(50);
  await page.getByLabel('System').selectOption({ label: 'NetSuite' });
  await page.getByLabel('Order').selectOption({ label: 'Customer, A to Z' });
  await page.getByRole('button', { name: 'Apply' }).click();
  const filtered = (await linewatch.connections('platform=netsuite&sort=customer')).items;
  expect(await order(page)).toEqual(filtered.map((one) => one.id));
  await expect(page.getByLabel('System')).toHaveValue('netsuite');
  await expect(page.getByLabel('Order').locator('option:checked')).toHaveText('Customer, A to Z');

  const wanted = filtered[0];
  await page.getByRole('searchbox', { name: 'Search connections' }).fill(wanted.key);
  await page.getByRole('searchbox', { name: 'Search connections' }).press('Enter');
  expect(await order(page)).toEqual([wanted.id]);
  await page.getByRole('main').getByRole('link', { name: 'Clear all filters' }).first().click();

  await expect(rows(page)).toHaveCount(50);
  const first = await order(page);
  await page.getByRole('link', { name: 'Next 50' }).click();
  await expect(page).toHaveURL(/cursor=/);
  const second = await order(page);
  expect(second).toHaveLength(50);
  expect(second.filter((id) => first.includes(id))).toEqual([]);
  await page.getByRole('link', { name: 'First page' }).click();
  expect(await order(page)).toEqual(first);
});

test('says what is wrong with an address', async ({ page }) => {
  const answer = await page.goto('/connections?health=fine');
  expect(answer?.status()).toBe(422);
  await expect(page.getByText('“fine” is not one of')).toBeVisible();
});

test('a connection can be checked and edited; what was typed is kept when it is wrong', async ({ page, linewatch }) => {
  const wanted = await linewatch.untouched('sort=-platform&limit=200');
  await page.goto(`/connections/${wanted.id}`);
  await page.getByRole('button', { name: 'Check now' }).click();
  await expect(page).toHaveURL(new RegExp(`/connections/${wanted.id}\\??$`));
  await expect(page.getByRole('heading', { level: 1 })).toContainText(wanted.customer.name);

  await page.getByText('Edit owner, tags, cadence and note').click();
  await page.getByLabel('Owner').fill('Ines');
  await page.getByLabel('Tags').fill('silver');
  await page.getByLabel('Expected sync').fill('soon');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('alert')).toContainText('One field needs another look.');
  await expect(page.getByLabel('Expected sync')).toHaveAccessibleDescription(/“soon” is not a duration/);
  await expect(page.getByLabel('Expected sync')).toHaveValue('soon');
  await expect(page.getByLabel('Owner'), 'nothing typed is lost').toHaveValue('Ines');

  await page.getByLabel('Expected sync').fill('');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('alert')).toHaveCount(0);
  await expect(page.getByRole('complementary', { name: 'Facts' })).toContainText('Ines');
  expect(await linewatch.connection(wanted.id)).toMatchObject({ owner: 'Ines', tags: ['silver'] });
  await linewatch.ask(`/api/v1/connections/${wanted.id}`, 'PATCH', { owner: null, tags: [] });
});

test('a new source is refused with a sentence for each wrong field, and keeps what was typed but the secrets', async ({ page, linewatch }) => {
  await page.goto('/settings');
  await page.getByRole('link', { name: 'Add a source' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Not A Name');
  await page.getByLabel('API address').fill('ftp://makini.example');
  await page.getByLabel('Client id').fill('client-of-the-test');
  await page.getByLabel('Client secret').fill('a-client-secret-that-is-typed');
  await page.getByLabel('Webhook secret').fill('whsec_that_is_typed');
  await page.getByRole('button', { name: 'Add the source' }).click();
  await expect(page.getByRole('alert')).toContainText('2 fields need another look.');
  await expect(page.getByLabel('Name', { exact: true })).toHaveAccessibleDescription(/lower-case letters, digits and dashes/);
  await expect(page.getByLabel('API address')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Client id')).toHaveValue('client-of-the-test');
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Not A Name');
  await expect(page.getByLabel('Client secret')).toHaveValue('');
  const [html, address] = [await page.content(), decodeURIComponent(page.url())];
  for (const secret of ['a-client-secret-that-is-typed', 'whsec_that_is_typed']) {
    expect(html).not.toContain(secret);
    expect(address).not.toContain(secret);
    expect(Buffer.from(address.match(/__err=([^&]*)/)?.[1] ?? '', 'base64').toString()).not.toContain(secret);
  }
  const { items } = await linewatch.ask<{ items: unknown[] }>('/api/v1/sources');
  expect(items).toHaveLength(1);
});

test('a source is tried out', async ({ page }) => {
  await page.goto('/settings');
  await page.getByRole('link', { name: 'demo', exact: true }).click();
  await page.getByRole('button', { name: 'Test the connection' }).click();
  await expect(page.getByText('Every step worked.')).toBeVisible();
});

test('an address that leads nowhere offers a search that works', async ({ page, linewatch }) => {
  const wanted = await linewatch.untouched();
  const answer = await page.goto('/no-such-page');
  expect(answer?.status()).toBe(404);
  await page.getByRole('main').getByRole('searchbox').fill(wanted.key);
  await page.getByRole('main').getByRole('button', { name: 'Search' }).click();
  expect(await order(page)).toEqual([wanted.id]);
});
