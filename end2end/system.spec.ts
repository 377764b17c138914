import { expect, test } from './linewatch';
import { open, rows } from './page';

test('says how Linewatch itself is', async ({ page, linewatch }) => {
  await open(page, '/system');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Linewatch sees everything it should.');
  const polling = page.getByRole('region', { name: 'Polling' }).getByRole('row').nth(1);
  await expect(polling).toContainText('demo');
  await expect(polling).toContainText('every 5 s');
  await expect(polling).toContainText('250');
  const processes = page.getByRole('region', { name: 'Processes' }).getByRole('row');
  await expect(processes, 'a head and the one process').toHaveCount(2);
  await expect(processes.nth(1)).toContainText('everything');
  const { ingest, room_until, at } = await linewatch.ask<{ ingest: { waiting: number }; room_until: string; at: string }>('/api/v1/system');
  expect(ingest.waiting).toBeLessThan(100);
  expect(Date.parse(room_until) - Date.parse(at)).toBeGreaterThan(5 * 86_400_000);
});

test('every screen says what Linewatch cannot see, and whose fault it is not', async ({ page, linewatch }) => {
  await open(page, '/connections');
  const before = await rows(page).evaluateAll((rows) => rows.map((row) => row.getAttribute('data-health')));
  const banner = page.getByRole('main').getByRole('status').filter({ hasText: 'Linewatch cannot poll “demo”' });
  await expect(banner).toHaveCount(0);
  await linewatch.fault('error_rate', 1);
  await expect(banner).toBeVisible({ timeout: 20_000 });
  await expect(banner).toContainText('It is no fault of the customers.');
  expect(await rows(page).evaluateAll((rows) => rows.map((row) => row.getAttribute('data-health')))).toEqual(before);
  await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: /^System/ })).toHaveText(/1$/);

  await banner.getByRole('link', { name: 'See System' }).click();
  await expect(page).toHaveURL('/system');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('One thing keeps Linewatch from seeing everything.');
  await expect(page.getByRole('main').getByRole('listitem').filter({ hasText: 'cannot poll “demo”' })).toBeVisible();

  await linewatch.endFaults();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Linewatch sees everything it should.', { timeout: 30_000 });
  await page.goto('/');
  await expect(page.getByRole('main').getByRole('status').filter({ hasText: 'cannot poll' })).toHaveCount(0);
});
