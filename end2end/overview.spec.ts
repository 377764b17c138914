import { expect, test } from './linewatch';
import { connection, legend, open, rows } from './page';

test('says in one sentence that all is well, and how well that is proved', async ({ page }) => {
  await open(page, '/');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/^All 250 connections are well\.\s*$/);
  await expect(page.getByText('250 are healthy.')).toBeVisible();
  await expect(page.getByText(/Nothing shown as known rests on a proof older than \d+ (s|min)\./)).toBeVisible();
  await expect(page).toHaveTitle('All well · Linewatch');
});

test('every total is a filter', async ({ page, linewatch }) => {
  const [one, two] = await linewatch.allUntouched('sort=-customer', 2);
  await linewatch.act(one, 'change_credentials');
  await linewatch.act(two, 'go_offline');
  await linewatch.becomes(one, 'reauthorization_required');
  await linewatch.becomes(two, 'offline');
  await open(page, '/');
  const { totals } = await linewatch.connections('limit=1');
  expect(totals.reauthorization_required).toBe(1);
  for (const [words, count, address] of [
    ['All', 250, '/connections'],
    ['Must sign in again', 1, '/connections?health=reauthorization_required'],
    ['Offline', 1, '/connections?health=offline'],
    ['Healthy', totals.healthy, '/connections?health=healthy'],
  ] as const) {
    const entry = legend(page).filter({ hasText: new RegExp(`^${words}`) });
    await expect(entry).toHaveText(new RegExp(`${words}\\s*${count}$`));
    await expect(entry).toHaveAttribute('href', address);
  }
  await legend(page).filter({ hasText: 'Offline' }).click();
  await expect(page).toHaveURL('/connections?health=offline');
  await expect(rows(page)).toHaveCount(1);
  await expect(connection(page, two.id)).toHaveAttribute('data-health', 'offline');
});

test('says who must act as soon as it is known, and forgets it once it is mended', async ({ page, linewatch }) => {
  const broken = await linewatch.untouched();
  await open(page, '/');
  const sentence = page.getByRole('heading', { level: 1 });
  await expect(sentence).toHaveText(/^All 250 connections are well/);
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));

  await linewatch.act(broken, 'change_credentials');
  await expect(sentence).toContainText('1 of 250 connections needs attention.');
  await expect(sentence).toContainText(`${broken.customer.name} must sign in again.`);
  await expect(page).toHaveTitle('1 need attention · Linewatch');
  const row = connection(page, broken.id);
  await expect(row).toHaveAttribute('data-health', 'reauthorization_required');
  await expect(row).toContainText(broken.customer.name);
  await expect(row).toContainText('Password changed at the source');
  await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: /^Overview/ })).toHaveText(/1$/);
  const recent = page.getByRole('region', { name: 'In the last hour' }).getByRole('listitem').first();
  await expect(recent).toContainText(`${broken.customer.name} must sign in again`);
  await expect(recent, 'whichever eye was first').toContainText(/seen by (webhook|poll|check)/);

  await linewatch.act(broken, 'reconnect');
  await expect(sentence).toHaveText(/^All 250 connections are well\.\s*$/, { timeout: 40_000 });
  await expect(row, 'it heals where it stands, and does not vanish under the pointer').toHaveAttribute('data-health', 'healthy');
  await expect(recent).toContainText(`${broken.customer.name} is healthy again`);
  expect(await page.evaluate(() => 'sameDocument' in window), 'all without loading the page again').toBe(true);
});

test('a click on a row opens it', async ({ page, linewatch }) => {
  const broken = await linewatch.untouched();
  await linewatch.act(broken, 'change_credentials');
  await linewatch.becomes(broken, 'reauthorization_required');
  await open(page, '/');
  await connection(page, broken.id).getByRole('link').click();
  await expect(page).toHaveURL(`/connections/${broken.id}`);
  await expect(page.getByRole('heading', { level: 1 })).toContainText(`${broken.customer.name} must sign in again`);
});
