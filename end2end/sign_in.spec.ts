import { expect, NOBODY, session, test } from './linewatch';
import { alive, open, rows } from './page';

test.use({ storageState: NOBODY });

test('whoever is not signed in is shown the way, and comes back to where the link pointed', async ({ page, linewatch }) => {
  await page.goto('/connections?sort=customer&limit=100');
  await expect(page).toHaveURL(`/login?next=${encodeURIComponent('/connections?sort=customer&limit=100')}`);
  await expect(page.getByRole('heading', { level: 1, name: 'Sign in' })).toBeVisible();
  await expect(page.getByLabel('E-mail')).toBeFocused();
  await page.getByLabel('E-mail').fill(linewatch.ready.email);
  await page.getByLabel('Password').fill(linewatch.ready.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL('/connections?sort=customer&limit=100');
  await expect(rows(page)).toHaveCount(100);
});

test('a wrong password is said to be wrong, and the way stays open', async ({ page, linewatch }) => {
  await page.goto('/login?next=%2Fsettings');
  await page.getByLabel('E-mail').fill(linewatch.ready.email);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('do not go together');
  await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
  expect(page.url()).not.toContain('not%20the%20password');
  await page.getByLabel('E-mail').fill(linewatch.ready.email);
  await page.getByLabel('Password').fill(linewatch.ready.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL('/settings');
});

test('an unknown e-mail address is answered like a wrong password', async ({ page }) => {
  await page.goto('/login');
  await page.getByLabel('E-mail').fill('nobody@example.com');
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('do not go together');
});

test('`next` never leads to another site', async ({ page, linewatch }) => {
  const { email, password, url } = linewatch.ready;
  for (const next of ['https://evil.example/', '//evil.example/', '/\\evil.example/', '/\t/evil.example/', 'javascript:alert(1)']) {
    const form = new URLSearchParams({ email, password, next });
    const answer = await fetch(`${url}/login`, { method: 'POST', body: form, redirect: 'manual' });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location'), `where “${next}” leads`).toBe('/');
  }
  await page.goto('/login?next=%2F%2Fevil.example%2F');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL('/');
});

test('signing out ends the session, in every tab', async ({ browser, linewatch }) => {
  const context = await browser.newContext({ baseURL: linewatch.ready.url, storageState: await session(linewatch.ready) });
  const [here, there] = [await context.newPage(), await context.newPage()];
  await open(there, '/connections');
  await open(here, '/');
  await here.getByRole('button', { name: 'Sign out' }).click();
  await expect(here).toHaveURL('/login');
  await expect(there, 'the other tab asks to sign in too, and remembers where it was').toHaveURL('/login?next=%2Fconnections', { timeout: 20_000 });
  await here.goto('/connections');
  await expect(here).toHaveURL('/login?next=%2Fconnections');
  await context.close();
});

test('a session is a cookie that no script can read and no other site sends along', async ({ linewatch }) => {
  const { cookies } = await session(linewatch.ready);
  expect(cookies).toHaveLength(1);
  expect(cookies[0]).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' });
});

test('who is signed in has no need of the sign-in page', async ({ browser, linewatch }) => {
  const context = await browser.newContext({ baseURL: linewatch.ready.url, storageState: await session(linewatch.ready) });
  const page = await context.newPage();
  await page.goto('/login');
  await expect(page).toHaveURL('/');
  await alive(page);
  await context.close();
});
