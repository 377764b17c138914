import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, Linewatch, NOBODY, test } from './linewatch';
import { alive, open, rows } from './page';
import { address, screens } from './screens.mjs';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What axe finds, short enough to be read in a test's report. */
async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  return violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target.join(' ')}: ${node.any[0]?.message ?? node.all[0]?.message ?? one.help}`));
}

// Something of every colour.
let linewatch: Linewatch;

// axe takes its time with long lists.
test.describe.configure({ timeout: 180_000 });

test.beforeAll(async () => {
  linewatch = new Linewatch();
  const [one, two, three, four] = await linewatch.allUntouched('limit=200', 4);
  await linewatch.act(one, 'change_credentials');
  await linewatch.act(two, 'go_offline');
  await linewatch.act(three, 'fail_sync');
  await linewatch.act(four, 'stall_sync');
  await linewatch.becomes(one, 'reauthorization_required');
  await linewatch.becomes(two, 'offline');
});

test.afterAll(() => linewatch.mend());

for (const screen of screens) {
  test.describe(screen.name, () => {
    if (screen.alone) test.use({ storageState: NOBODY });

    test('has no violation, in light and dark, wide and narrow, and never scrolls sideways', async ({ page }) => {
      await page.goto(await address(screen, (path: string) => linewatch.ask(path)));
      if (!screen.alone) await alive(page);
      await page.locator('main details').evaluateAll((all) => all.forEach((details) => details.setAttribute('open', '')));
      // Colours do not depend on the width, nor names and roles on the colours: two looks see what four would.
      for (const [width, height, colorScheme] of [[1360, 900, 'light'], [390, 844, 'dark']] as const) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        expect.soft(await violations(page), `${screen.name}, ${colorScheme}, ${width} px`).toEqual([]);
      }
      // 320 px is what WCAG asks for (1.4.10), 390 px what people hold in their hands.
      for (const width of [390, 320]) {
        await page.setViewportSize({ width, height: 844 });
        expect.soft(await page.evaluate(() => document.documentElement.scrollWidth), `the width of ${screen.name} at ${width} px`).toBeLessThanOrEqual(width);
      }
    });
  });
}

test('the dialogs have no violation', async ({ page }) => {
  await open(page, '/');
  for (const [key, name] of [['?', 'Keys'], ['Control+k', 'Find anything']]) {
    await page.keyboard.press(key);
    await expect(page.getByRole('dialog', { name })).toBeVisible();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect.soft(await violations(page), `${name}, ${colorScheme}`).toEqual([]);
    }
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
  }
});

test.describe('the keyboard', () => {
  test('goes first to the content', async ({ page }) => {
    await open(page, '/connections');
    await page.keyboard.press('Tab');
    await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('main')).toBeFocused();
  });

  test('searches with /', async ({ page }) => {
    await open(page, '/connections');
    await page.keyboard.press('/');
    const search = page.getByRole('searchbox', { name: 'Search connections' });
    await expect(search).toBeFocused();
    await page.keyboard.type('j/k?');
    await expect(search, 'what is typed is typed').toHaveValue('j/k?');
  });

  test('walks the rows with j and k and opens one with Enter', async ({ page }) => {
    await open(page, '/connections');
    const link = (n: number) => rows(page).nth(n).getByRole('link');
    await page.keyboard.press('j');
    await expect(link(0)).toBeFocused();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await expect(link(2)).toBeFocused();
    await page.keyboard.press('k');
    await expect(link(1)).toBeFocused();
    const id = await rows(page).nth(1).getAttribute('data-connection');
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(`/connections/${id}`);
    await expect(page.getByRole('main'), 'the focus goes to the new screen').toBeFocused();
  });

  test('shows its keys with ? and goes elsewhere with g', async ({ page }) => {
    await open(page, '/');
    await page.keyboard.press('?');
    await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await page.keyboard.press('g');
    await page.keyboard.press('c');
    await expect(page).toHaveURL('/connections');
    await page.keyboard.press('g');
    await page.keyboard.press('w');
    await expect(page).toHaveURL('/webhooks');
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await expect(page).toHaveURL('/settings');
    await page.keyboard.press('g');
    await page.keyboard.press('o');
    await expect(page).toHaveURL('/');
  });

  test('finds everything with Ctrl K', async ({ page }) => {
    const wanted = await linewatch.untouched('sort=-customer');
    await open(page, '/settings');
    await page.keyboard.press('Control+k');
    const palette = page.getByRole('dialog', { name: 'Find anything' });
    await expect(palette.getByRole('combobox')).toBeFocused();
    await page.keyboard.type('all conn');
    await expect(palette.getByRole('option')).toHaveText(['All connections']);
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL('/connections');
    await expect(palette).toBeHidden();

    await page.keyboard.press('Control+k');
    await palette.getByRole('combobox').fill(wanted.key);
    await expect(palette.getByRole('option')).toHaveText([new RegExp(wanted.customer.name)]);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(`/connections/${wanted.id}`);

    await page.keyboard.press('Control+k');
    await expect(palette.getByRole('combobox'), 'it opens empty each time').toHaveValue('');
    await page.keyboard.type('ov');
    await page.keyboard.press('Escape');
    await expect(palette).toBeHidden();
  });
});

test('light, dark and compact rows can be chosen, and are there from the first byte on', async ({ page }) => {
  await open(page, '/connections');
  const root = page.locator('html');
  await page.getByRole('button', { name: 'Dark' }).click();
  await page.getByRole('button', { name: 'Compact rows' }).click();
  await expect(root).toHaveAttribute('data-theme', 'dark');
  await expect(page.getByRole('button', { name: 'Dark' })).toHaveAttribute('aria-pressed', 'true');
  const html = await (await page.request.get('/connections')).text();
  expect(html).toMatch(/<html[^>]*data-theme="dark"[^>]*data-density="compact"/);
  await page.reload();
  await alive(page);
  await expect(page.getByRole('button', { name: 'Dark' })).toHaveAttribute('aria-pressed', 'true');
  await page.getByRole('button', { name: 'Auto' }).click();
  await expect(root).not.toHaveAttribute('data-theme');
});
