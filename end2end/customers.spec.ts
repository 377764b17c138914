import { expect, test } from './linewatch';
import { connection, open, rows } from './page';

test('a customer is found by name, shows all its connections, and is edited in place', async ({ page, linewatch }) => {
  const wanted = await linewatch.untouched('sort=customer');
  await open(page, '/connections');
  await page.getByRole('link', { name: 'By customer' }).click();
  await expect(page).toHaveURL('/customers');
  await page.getByRole('searchbox', { name: 'Search customers' }).fill(wanted.customer.name);
  await page.getByRole('searchbox', { name: 'Search customers' }).press('Enter');
  await page.getByRole('region', { name: 'Customers' }).getByRole('link', { name: wanted.customer.name, exact: true }).click();
  await expect(page).toHaveURL(`/customers/${wanted.customer.id}`);
  await expect(page.getByRole('heading', { level: 1 })).toContainText(wanted.customer.name);
  const { items } = await linewatch.connections(`customer=${wanted.customer.id}&limit=200`);
  await expect(rows(page)).toHaveCount(items.length);
  await expect(connection(page, wanted.id)).toHaveAttribute('data-health', 'healthy');

  await page.getByText('Edit tier, tags, owner, contact and note').click();
  await page.getByLabel('Tier').fill('gold');
  await page.getByLabel('Tags').fill('pilot');
  await page.getByLabel('Contact').fill('it@customer.example');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved.', { exact: true })).toBeVisible();
  const noted = page.getByRole('region', { name: 'What is noted' });
  await expect(noted.getByRole('link', { name: 'gold' })).toHaveAttribute('href', '/customers?tier=gold');
  await expect(noted.getByRole('link', { name: 'it@customer.example' })).toHaveAttribute('href', 'mailto:it@customer.example');
  await noted.getByRole('link', { name: 'pilot' }).click();
  await expect(page.getByRole('region', { name: 'Customers' }).getByRole('row')).toHaveCount(2);
  await linewatch.ask(`/api/v1/customers/${wanted.customer.id}`, 'PATCH', { tier: null, tags: [], contact: null });
});

test('a connection leads to its customer', async ({ page, linewatch }) => {
  const wanted = await linewatch.untouched();
  await open(page, `/connections/${wanted.id}`);
  await page.getByRole('navigation', { name: 'You are here' }).getByRole('link', { name: wanted.customer.name }).click();
  await expect(page).toHaveURL(`/customers/${wanted.customer.id}`);
});

test.describe('saved views', () => {
  test('a question is kept under a name, counts what fits it now, and is forgotten again', async ({ page, linewatch }) => {
    const platform = (await linewatch.untouched()).platform;
    await open(page, `/connections?platform=${platform.slug}&sort=customer`);
    await page.getByText('Save this view').click();
    await page.getByLabel('Name').fill('By their system');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const { matching } = await linewatch.connections(`platform=${platform.slug}`);
    const view = page.getByRole('list', { name: 'Saved views' }).getByRole('link', { name: `By their system ${matching}` });
    await expect(view).toHaveAttribute('aria-current', 'true');
    await page.goto('/connections');
    await expect(view).not.toHaveAttribute('aria-current');
    await view.click();
    await expect(page).toHaveURL(`/connections?platform=${platform.slug}&sort=customer`);
    await page.getByText('Remove a view').click();
    await page.getByRole('button', { name: 'Remove the view By their system' }).click();
    await expect(view).toHaveCount(0);
  });

  test.describe('without wasm', () => {
    test.use({ javaScriptEnabled: false });

    test('the same', async ({ page }) => {
      await page.goto('/connections?health=late');
      await page.getByText('Save this view').click();
      await page.getByLabel('Name').fill('Late ones');
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await expect(page).toHaveURL('/connections?health=late');
      const view = page.getByRole('list', { name: 'Saved views' }).getByRole('link', { name: /^Late ones/ });
      await expect(view).toHaveAttribute('aria-current', 'true');
      await page.getByText('Remove a view').click();
      await page.getByRole('button', { name: 'Remove the view Late ones' }).click();
      await expect(view).toHaveCount(0);
    });
  });
});
