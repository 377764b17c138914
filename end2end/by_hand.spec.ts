import { expect, test } from './linewatch';
import { connection, open } from './page';

test('a sync that is started by hand is followed to its end, and stands among the syncs', async ({ page, linewatch }) => {
  const wanted = await linewatch.untouched();
  await open(page, `/connections/${wanted.id}`);
  const byHand = page.getByRole('region', { name: 'By hand' });
  await byHand.getByRole('button', { name: 'Sync what changed' }).click();
  await expect(page).toHaveURL(/\?started=\d+/);
  await expect(byHand.getByRole('status')).toContainText(/Makini was asked for a sync|has succeeded/);
  await expect(byHand.getByRole('status')).toContainText('The sync that was started here has succeeded', { timeout: 40_000 });
  const newest = page.getByRole('region', { name: 'Syncs' }).first().getByRole('row').nth(1);
  await expect(newest).toContainText('Good');

  // The address remembers it: who opens it later sees how it ended.
  await page.reload();
  await expect(byHand.getByRole('status')).toContainText('The sync that was started here has succeeded');
});

test('a sync that cannot be started says why, in its place', async ({ page, linewatch }) => {
  const wanted = await linewatch.untouched();
  await linewatch.act(wanted, 'stall_sync');
  await open(page, `/connections/${wanted.id}`);
  const byHand = page.getByRole('region', { name: 'By hand' });
  await byHand.getByRole('button', { name: 'Sync what changed' }).click();
  await expect(page.getByText('Asked Makini for a sync.').or(byHand.getByRole('alert'))).toBeVisible();
  await byHand.getByRole('button', { name: 'Sync everything' }).click();
  await expect(byHand.getByRole('alert')).not.toBeEmpty();
  await linewatch.act(wanted, 'finish_sync');
});

test('availability over 7, 30 and 90 days stands in the address, and leaves the time bar alone', async ({ page, linewatch }) => {
  const wanted = await linewatch.untouched();
  await open(page, `/connections/${wanted.id}?days=7`);
  const availability = page.getByRole('heading', { name: 'Availability' }).locator('xpath=ancestor::section');
  await expect(availability).toContainText('over the last 30 days');
  await availability.getByRole('link', { name: '90 days' }).click();
  await expect(page).toHaveURL(/\?days=7&up=90/);
  await expect(availability).toContainText('over the last 90 days');
  await expect(availability.getByRole('link', { name: '90 days' })).toHaveAttribute('aria-current', 'true');
  await availability.getByText('As a table').click();
  await expect(availability.getByRole('row').filter({ hasText: 'Unknown' })).toBeVisible();
});

test('every cause comes with what happened, who must act, and what to quote to Makini', async ({ page, linewatch }) => {
  const victim = await linewatch.untouched();
  await linewatch.act(victim, 'go_offline');
  await linewatch.becomes(victim, 'offline');
  await open(page, `/connections/${victim.id}`);
  const next = page.getByRole('region', { name: 'Next: wait, nobody has to act yet' });
  await expect(next).toContainText("The customer's system does not answer Makini");
  await next.getByText('What to quote to Makini’s support').click();
  await expect(next.locator('pre')).toContainText(victim.key);
  await expect(next.getByText('platform_unreachable')).toBeVisible();
});

test.describe('without wasm', () => {
  test.use({ javaScriptEnabled: false });

  test('a sync is started and followed by loading the page again', async ({ page, linewatch }) => {
    const wanted = await linewatch.untouched();
    await page.goto(`/connections/${wanted.id}`);
    await page.getByRole('button', { name: 'Sync what changed' }).click();
    await expect(page).toHaveURL(/\?started=\d+/);
    await expect(connection(page, wanted.id)).toBeVisible();
    await expect(async () => {
      await page.reload();
      await expect(page.getByText('The sync that was started here has succeeded')).toBeVisible({ timeout: 500 });
    }).toPass({ timeout: 40_000 });
  });
});
