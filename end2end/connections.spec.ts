import { expect, test } from './linewatch';
import { connection, legend, open, order, rows } from './page';

test('filters by health, and the totals agree with the API', async ({ page, linewatch }) => {
  const [one, two, three] = await linewatch.allUntouched('sort=platform', 3);
  await linewatch.act(one, 'change_credentials');
  await linewatch.act(two, 'change_credentials');
  await linewatch.act(three, 'go_offline');
  for (const [who, health] of [[one, 'reauthorization_required'], [two, 'reauthorization_required'], [three, 'offline']] as const) {
    await linewatch.becomes(who, health);
  }
  await open(page, '/connections');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('250 connections');
  const { totals } = await linewatch.connections('limit=1');
  for (const [words, health] of [['Must sign in again', 'reauthorization_required'], ['Offline', 'offline'], ['Healthy', 'healthy']]) {
    await expect(legend(page).filter({ hasText: words })).toHaveText(new RegExp(`${totals[health]}$`));
  }
  await expect(legend(page).filter({ hasText: /^All/ })).toHaveText(/250$/);
  await expect(legend(page).filter({ hasText: 'Needs attention' })).toHaveText(/3$/);

  await legend(page).filter({ hasText: 'Must sign in again' }).click();
  await expect(page).toHaveURL('/connections?health=reauthorization_required');
  await expect(rows(page)).toHaveCount(2);
  expect((await order(page)).sort()).toEqual([one.id, two.id].sort());
  await expect(page.getByRole('heading', { level: 1 })).toContainText('2 connections must sign in again');
  await expect(legend(page).filter({ hasText: 'Must sign in again' })).toHaveAttribute('aria-current', 'true');
  await expect(legend(page).filter({ hasText: 'Offline' }), 'the totals are those of every health').toHaveText(/1$/);

  await legend(page).filter({ hasText: 'Needs attention' }).click();
  await expect(rows(page)).toHaveCount(3);
  expect((await order(page)).at(-1), 'worst first').toBe(three.id);
});

test('filters by system: a choice takes effect at once and stands in the address', async ({ page, linewatch }) => {
  await open(page, '/connections');
  await page.getByLabel('System').selectOption({ label: 'NetSuite' });
  await expect(page).toHaveURL('/connections?platform=netsuite');
  const { matching } = await linewatch.connections('platform=netsuite&limit=1');
  await expect(page.getByRole('heading', { level: 1 })).toContainText(`${matching} connections`);
  await expect(rows(page)).toHaveCount(Math.min(matching, 50));
  for (const row of await rows(page).all()) await expect(row).toContainText('NetSuite');
  await expect(page.getByLabel('System')).toHaveValue('netsuite');
  await expect(legend(page).filter({ hasText: /^All/ })).toHaveText(new RegExp(`${matching}$`));
});

test('finds by customer, by key, and says so when nothing matches', async ({ page, linewatch }) => {
  const wanted = await linewatch.untouched('sort=-customer');
  await open(page, '/connections');
  const search = page.getByRole('searchbox', { name: 'Search connections' });
  await search.fill(wanted.key);
  await search.press('Enter');
  await expect(page).toHaveURL(`/connections?q=${encodeURIComponent(wanted.key)}`);
  await expect(rows(page)).toHaveCount(1);
  await expect(connection(page, wanted.id)).toBeVisible();

  await search.fill(wanted.customer.name.toUpperCase());
  await search.press('Enter');
  const { matching } = await linewatch.connections(`q=${encodeURIComponent(wanted.customer.name)}`);
  await expect(rows(page)).toHaveCount(Math.min(matching, 50));
  await expect(connection(page, wanted.id)).toBeVisible();

  await search.fill('no such customer');
  await search.press('Enter');
  await expect(page.getByRole('heading', { name: 'No connection matches' })).toBeVisible();
  await expect(rows(page)).toHaveCount(0);
  await expect(page.getByText('Connections that fit every filter above would be listed here.')).toBeVisible();
  await page.getByRole('main').getByRole('link', { name: 'Clear all filters' }).last().click();
  await expect(page).toHaveURL('/connections');
  await expect(rows(page)).toHaveCount(50);
  await expect(search).toHaveValue('');
});

test('sorts as the API does', async ({ page, linewatch }) => {
  await open(page, '/connections');
  for (const [label, sort] of [['Customer, A to Z', 'customer'], ['Customer, Z to A', '-customer'], ['System, A to Z', 'platform']]) {
    await page.getByLabel('Order').selectOption({ label });
    await expect(page).toHaveURL(`/connections?sort=${sort}`);
    await expect(page.getByRole('heading', { level: 1 })).toContainText(label.toLowerCase());
    const { items } = await linewatch.connections(`sort=${sort}`);
    await expect.poll(() => order(page)).toEqual(items.map((one) => one.id));
  }
});

test('pages forward, and the way back leads to the same rows', async ({ page, linewatch }) => {
  await open(page, '/connections?sort=customer');
  const seen = [await order(page)];
  for (let number = 2; number <= 5; number++) {
    await page.getByRole('link', { name: 'Next 50' }).click();
    await expect(page).toHaveURL(/cursor=/);
    await expect.poll(async () => (await order(page))[0]).not.toBe(seen.at(-1)![0]);
    seen.push(await order(page));
  }
  expect(new Set(seen.flat()).size, 'every connection once').toBe(250);
  const all = [...(await linewatch.connections('sort=customer&limit=200')).items.map((one) => one.id)];
  expect(seen.flat().slice(0, 200)).toEqual(all);
  await expect(page.getByRole('link', { name: 'Next 50' })).toHaveCount(0);
  await page.goBack();
  await expect.poll(() => order(page)).toEqual(seen[3]);
  await page.getByRole('link', { name: 'First page' }).click();
  await expect(page).toHaveURL('/connections?sort=customer');
  await expect.poll(() => order(page)).toEqual(seen[0]);
  await page.getByRole('link', { name: '100', exact: true }).click();
  await expect(rows(page)).toHaveCount(100);
});

test('a link shows a colleague the same rows', async ({ page, browser, linewatch, storageState }) => {
  await open(page, '/connections?platform=netsuite&platform=sap-ecc&sort=-customer&limit=100');
  const here = await order(page);
  expect(here.length).toBeGreaterThan(10);
  const colleague = await browser.newContext({ baseURL: linewatch.ready.url, storageState });
  const there = await colleague.newPage();
  await there.goto(page.url());
  expect(await order(there), 'from the first byte, before wasm').toEqual(here);
  await colleague.close();
});

test('an address that cannot be understood says what is wrong with it', async ({ page }) => {
  const answer = await page.goto('/connections?health=fine&limit=0&colour=red');
  expect(answer?.status()).toBe(422);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/^This address cannot be understood\.?$/);
  for (const words of ['“fine” is not one of', '“0” is not a number from 1 to 200', 'this filter is not known']) {
    await expect(page.getByRole('main').getByRole('listitem').filter({ hasText: words })).toBeVisible();
  }
  await page.getByRole('link', { name: 'See all connections' }).click();
  await expect(page).toHaveURL('/connections');
  await expect(rows(page)).toHaveCount(50);
});

test('a page address that is broken, or belongs to another order, says so', async ({ page }) => {
  await open(page, '/connections?sort=customer');
  const next = (await page.getByRole('link', { name: 'Next 50' }).getAttribute('href'))!;
  for (const address of ['/connections?cursor=nonsense', next.replace('sort=customer', 'sort=platform')]) {
    const answer = await page.goto(address);
    expect(answer?.status()).toBe(422);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(/^This address cannot be understood\.?$/);
    await expect(page.getByRole('main').getByRole('listitem').filter({ hasText: 'cursor' })).toBeVisible();
  }
});

test('the list can be taken away as CSV, with its filters', async ({ page, linewatch }) => {
  await open(page, '/connections?platform=netsuite');
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Take this list away as CSV' }).click()]);
  const { readFile } = await import('node:fs/promises');
  const lines = (await readFile(await file.path(), 'utf8')).trim().split(/\r?\n/);
  const { matching } = await linewatch.connections('platform=netsuite&limit=1');
  expect(lines).toHaveLength(matching + 1);
});
