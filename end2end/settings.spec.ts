import { expect, test } from './linewatch';
import { follow, open } from './page';

test('lists the sources, and how well each is seen', async ({ page }) => {
  await open(page, '/settings');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('One Makini account is watched, and seen well.');
  const demo = page.getByRole('article', { name: /^demo/ });
  await expect(demo).toContainText('Seen well, by polling and by webhooks.');
  await expect(demo).toContainText('250 connections');
  await expect(demo.getByRole('link', { name: '250 connections' })).toHaveAttribute('href', '/connections?source=demo');
  await demo.getByRole('link', { name: 'Open' }).click();
  await expect(page).toHaveURL(/\/settings\/sources\/[0-9a-f-]{36}$/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('demo');
});

test('a source is tried out, step by step', async ({ page }) => {
  await open(page, '/settings');
  await page.getByRole('link', { name: 'demo', exact: true }).click();
  await page.getByRole('button', { name: 'Test the connection' }).click();
  const trial = page.getByRole('region', { name: 'Try it out' });
  await expect(trial.getByText('Every step worked.')).toBeVisible();
  expect(await trial.getByRole('listitem').count()).toBeGreaterThanOrEqual(2);
});

test('a webhook secret is added, and retired when it is no longer needed', async ({ page, linewatch }) => {
  const secret = 'whsec_made_up_by_the_test_9f3c';
  await open(page, '/settings');
  await page.getByRole('link', { name: 'demo', exact: true }).click();
  const secrets = page.getByRole('region', { name: 'Webhook secrets' });
  await expect(secrets.getByRole('listitem').first()).toBeVisible();
  const before = await secrets.getByRole('listitem').count();
  await secrets.getByLabel('Add a secret').fill('short');
  await secrets.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(secrets.getByRole('alert')).toBeVisible();
  await expect(secrets.getByRole('alert'), 'what is wrong, in words').toContainText('8 to 500 characters');
  await secrets.getByLabel('Add a secret').fill(secret);
  await secrets.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(page.getByText('Webhook secret added')).toBeVisible();
  await expect(secrets.getByRole('listitem')).toHaveCount(before + 1);
  const added = secrets.getByRole('listitem').filter({ hasText: '…9f3c' });
  await expect(added).toContainText('never used yet');
  await expect(secrets.getByLabel('Add a secret'), 'a secret does not stay in its field').toHaveValue('');
  expect(await page.content()).not.toContain(secret);
  expect(JSON.stringify(await linewatch.ask('/api/v1/sources'))).not.toContain(secret);

  await added.getByText('Retire', { exact: true }).click();
  await expect(added).toContainText('will be refused from then on');
  await added.getByRole('button', { name: 'Retire this secret' }).click();
  await expect(page.getByText('Webhook secret retired')).toBeVisible();
  await expect(secrets.getByRole('listitem')).toHaveCount(before);

  const victim = await linewatch.untouched();
  await linewatch.act(victim, 'change_credentials');
  await linewatch.becomes(victim, 'reauthorization_required');
});

test('settings are edited: first a sentence for what is wrong, then they are saved', async ({ page, linewatch }) => {
  await open(page, '/settings');
  await page.getByRole('link', { name: 'demo', exact: true }).click();
  const rate = page.getByLabel('Requests a minute, at most');
  const before = await rate.inputValue();
  const factor = page.getByLabel('Late after this many cadences');
  const wrong = await factor.inputValue();
  await rate.fill('70000');
  await factor.fill('many');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('alert')).toContainText(/need(s)? another look/);
  await expect(factor).toHaveAccessibleDescription(/“many” is not a number/);
  await expect(factor).toHaveAttribute('aria-invalid', 'true');

  await factor.fill(wrong);
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(rate).toHaveAccessibleDescription(/between 1 and 60,000/);
  await expect(factor).not.toHaveAttribute('aria-invalid', 'true');

  const after = String(Number(before) - 1);
  await rate.fill(after);
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved. It takes effect with the next round of polling.')).toBeVisible();
  const stored = async () => (await linewatch.ask<{ items: { rate_per_minute: number }[] }>('/api/v1/sources')).items[0].rate_per_minute;
  expect(await stored()).toBe(Number(after));

  await rate.fill(before);
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(stored, { message: 'a second save in a row works' }).toBe(Number(before));
});

test('a new source is refused in place, with a sentence for each wrong field', async ({ page, linewatch }) => {
  await open(page, '/settings/sources/new');
  await page.getByLabel('Name', { exact: true }).fill('demo');
  await page.getByLabel('API address').fill('https://127.0.0.1.nip.example');
  await page.getByLabel('Client id').fill('somebody');
  await page.getByLabel('Client secret').fill('something');
  await page.getByRole('button', { name: 'Add the source' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByLabel('Name', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  await expect(page).toHaveURL('/settings/sources/new');
  const { items } = await linewatch.ask<{ items: unknown[] }>('/api/v1/sources');
  expect(items, 'there is one source called demo').toHaveLength(1);
});

test('no secret is anywhere in what the browser is sent', async ({ page, linewatch }) => {
  const { api_token, password, webhook_secret } = linewatch.ready;
  const secrets = [api_token, password, webhook_secret, 'linewatch-demo-secret', 'whsec_linewatch_demo'];
  const bodies: Promise<[string, string]>[] = [];
  page.on('response', (response) => {
    if (/text|json/.test(response.headers()['content-type'] ?? '') && !response.url().endsWith('/api/v1/changes')) {
      bodies.push(response.text().then((text) => [response.url(), text], () => [response.url(), '']));
    }
  });
  const { items } = await linewatch.ask<{ items: { id: string }[] }>('/api/v1/sources');
  for (const path of ['/settings', `/settings/sources/${items[0].id}`, '/settings/sources/new', '/', '/connections']) {
    await open(page, path);
    await follow(page, path === '/' ? '/settings' : '/');
  }
  for (const [url, text] of await Promise.all(bodies)) {
    for (const secret of secrets) expect(text.includes(secret), `${url} holds ${secret}`).toBe(false);
  }
  expect(bodies.length).toBeGreaterThan(5);
});
