import type { Page } from '@playwright/test';
import { expect, test, type Delivery } from './linewatch';
import { connection, open } from './page';

interface Sighting {
  health: string;
  at: number;
}

/** Notes when the page shows another health of a connection. */
async function witness(page: Page, id: string): Promise<() => Promise<Sighting[]>> {
  await page.evaluate((id) => {
    const seen: Sighting[] = [];
    const look = () => {
      const health = document.querySelector(`[data-connection="${id}"]`)?.getAttribute('data-health');
      if (health && seen.at(-1)?.health !== health) seen.push({ health, at: Date.now() });
    };
    look();
    new MutationObserver(look).observe(document.documentElement, { subtree: true, childList: true, attributes: true });
    Object.assign(window, { seen });
  }, id);
  return () => page.evaluate(() => (window as unknown as { seen: Sighting[] }).seen);
}

test('opens from the list with a headline that says what, since when and why', async ({ page, linewatch }) => {
  const wanted = await linewatch.untouched('sort=customer');
  await open(page, '/connections?sort=customer');
  await connection(page, wanted.id).getByRole('link').click();
  await expect(page).toHaveURL(`/connections/${wanted.id}`);
  const headline = connection(page, wanted.id);
  await expect(headline).toHaveAttribute('data-health', 'healthy');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${wanted.customer.name}’s ${wanted.platform.name} is healthy.`);
  await expect(headline.locator('time').first()).toHaveAttribute('datetime', /^\d{4}-\d\d-\d\dT/);
  await expect(page.getByRole('heading', { name: 'How we know' })).toBeVisible();
  await expect(page.getByText(/A proof counts for/)).toBeVisible();
  await expect(page).toHaveTitle(`${wanted.customer.name} – is healthy · Linewatch`);
  await page.getByRole('navigation', { name: 'You are here' }).getByRole('link', { name: 'Connections' }).click();
  await expect(page).toHaveURL('/connections');
});

test('a changed password is on the open page within a second of the webhook, with cause and proof, and goes away after reconnecting', async ({ page, linewatch }) => {
  const victim = await linewatch.untouched();
  await open(page, `/connections/${victim.id}`);
  const headline = connection(page, victim.id);
  await expect(headline).toHaveAttribute('data-health', 'healthy');
  const seen = await witness(page, victim.id);

  await linewatch.act(victim, 'change_credentials');
  await expect(headline).toHaveAttribute('data-health', 'reauthorization_required');
  const told = (one: Delivery) => one.event === 'connection.reauthorization_required' && one.attempts.some((attempt) => attempt.status === 200);
  await expect.poll(async () => (await linewatch.deliveries(victim)).some(told), { message: 'the webhook is taken' }).toBe(true);
  const webhook = (await linewatch.deliveries(victim)).find(told)!;
  const shown = (await seen()).find((sighting) => sighting.health === 'reauthorization_required')!;
  const took = shown.at - Date.parse(webhook.attempts[0].at);
  test.info().annotations.push({ type: 'webhook to screen', description: `${took} ms` });
  expect(took, 'milliseconds from the webhook to the screen').toBeLessThanOrEqual(1000);

  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${victim.customer.name} must sign in again to ${victim.platform.name}.`);
  const { cause } = await linewatch.connection(victim.id);
  expect(cause).toMatchObject({ code: 'credentials_changed', actor: 'customer' });
  await expect(headline).toContainText(cause!.summary.replace(/[.!?]$/, ''));
  await expect(page.getByRole('heading', { name: 'Next: the customer must act' })).toBeVisible();
  await expect(page.getByText('Ask the customer to connect again through Makini Link')).toBeVisible();
  const newest = page.getByRole('region', { name: 'Timeline' }).getByRole('listitem').filter({ hasText: 'webhook' }).first();
  await expect(newest).toContainText(/must sign in again/i);
  await expect(page.getByRole('region', { name: 'How we know' })).toContainText('webhook');

  await linewatch.act(victim, 'reconnect');
  await expect(headline).toHaveAttribute('data-health', 'healthy', { timeout: 40_000 });
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(`${victim.customer.name}’s ${victim.platform.name} is healthy.`);
  await expect(page.getByRole('heading', { name: 'Nothing to do' })).toBeVisible();
  expect((await seen()).map((sighting) => sighting.health), 'nothing else was shown in between').toEqual(['healthy', 'reauthorization_required', 'healthy']);
});

test('a system that is offline is nobody’s fault yet, and says so', async ({ page, linewatch }) => {
  const victim = await linewatch.untouched();
  await open(page, `/connections/${victim.id}`);
  await linewatch.act(victim, 'go_offline');
  await expect(connection(page, victim.id)).toHaveAttribute('data-health', 'offline');
  await expect(page.getByRole('heading', { name: 'Next: wait, nobody has to act yet' })).toBeVisible();
  await linewatch.act(victim, 'come_online');
  await expect(connection(page, victim.id)).toHaveAttribute('data-health', 'healthy', { timeout: 40_000 });
});

test('“Check now” asks at once, and the answer appears by itself', async ({ page, linewatch }) => {
  const wanted = await linewatch.untouched();
  await open(page, `/connections/${wanted.id}`);
  await page.getByRole('button', { name: 'Check now' }).click();
  await expect(page.getByText('Asked Makini. The answer appears here by itself.')).toBeVisible();
  await expect(page.getByRole('region', { name: 'How we know' }).getByRole('listitem').filter({ hasText: 'check ·' }).first()).toBeVisible();
  await expect(page.getByRole('button', { name: 'Check now' })).toBeEnabled();
});

test('owner, tags, cadence and note are edited in place, and what is wrong is said beside its field', async ({ page, linewatch }) => {
  const wanted = await linewatch.untouched('sort=-customer&limit=200');
  await open(page, `/connections/${wanted.id}`);
  await page.getByText('Edit owner, tags, cadence and note').click();
  await page.getByLabel('Owner').fill('Ines');
  await page.getByLabel('Tags').fill('Gold, pilot');
  await page.getByLabel('Expected sync').fill('soon');
  await page.getByLabel('Note').fill('Speaks only German.');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('alert')).toContainText('One field needs another look.');
  const cadence = page.getByLabel('Expected sync');
  await expect(cadence).toHaveAttribute('aria-invalid', 'true');
  await expect(cadence).toHaveAccessibleDescription(/“soon” is not a duration/);
  await expect(page.getByLabel('Note'), 'nothing typed is lost').toHaveValue('Speaks only German.');

  await cadence.fill('2 h');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved', { exact: true })).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
  const facts = page.getByRole('complementary', { name: 'Facts' });
  await expect(facts).toContainText('Ines');
  await expect(facts.getByRole('link', { name: 'gold' })).toHaveAttribute('href', '/connections?tag=gold');
  await expect(facts).toContainText('Speaks only German.');
  const stored = await linewatch.connection(wanted.id);
  expect(stored).toMatchObject({ owner: 'Ines', tags: ['gold', 'pilot'], note: 'Speaks only German.' });

  await page.reload();
  await page.getByText('Edit owner, tags, cadence and note').click();
  await expect(page.getByLabel('Owner')).toHaveValue('Ines');
  await expect(page.getByLabel('Tags')).toHaveValue('gold, pilot');
  await expect(page.getByLabel('Expected sync')).toHaveValue('2 h');

  await page.goto('/connections?tag=pilot');
  await expect(connection(page, wanted.id)).toContainText('Ines');
  await linewatch.ask(`/api/v1/connections/${wanted.id}`, 'PATCH', { owner: null, tags: [], cadence_seconds: null, note: null });
});

test('what was never there says so, with a way on', async ({ page }) => {
  for (const address of ['/connections/00000000-0000-7000-8000-000000000000', '/connections/nonsense']) {
    const answer = await page.goto(address);
    expect(answer?.status()).toBe(404);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Not found');
    await expect(page.getByRole('link', { name: 'See all connections' })).toBeVisible();
  }
});
