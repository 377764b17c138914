// Every screen, reached by loading its address and by following a link to it: nothing fails, and it is alive.

import type { Page } from '@playwright/test';
import { expect, NOBODY, test } from './linewatch';
import { alive, follow } from './page';
import { address, screens } from './screens.mjs';

/** Everything that goes wrong on a page. A screen that says no has a document and calls that say no; nothing else may. */
function troubles(page: Page, screen: { address: string; status: number }): string[] {
  const found: string[] = [];
  const saysNo = (url: string) => screen.status >= 400 && (url.endsWith(screen.address) || new URL(url).pathname.startsWith('/_app/'));
  page.on('pageerror', (error) => found.push(`error: ${error.message}`));
  page.on('console', (message) => {
    const { url } = message.location();
    const expected = /Failed to load resource/.test(message.text()) && saysNo(url);
    if (['error', 'warning'].includes(message.type()) && !expected) found.push(`console: ${message.text()} (${url})`);
  });
  page.on('requestfailed', (request) => {
    // A stream ends with its page.
    if (!request.url().endsWith('/api/v1/changes')) found.push(`failed: ${request.url()}: ${request.failure()?.errorText}`);
  });
  page.on('response', (response) => {
    const expected = response.status() === screen.status && saysNo(response.url());
    if (response.status() >= 400 && !expected) found.push(`answered ${response.status()}: ${response.url()}`);
  });
  return found;
}

/** Says that a control works. */
async function works(page: Page): Promise<void> {
  await alive(page);
  await page.getByRole('button', { name: /Find anything/ }).click();
  await expect(page.getByRole('dialog', { name: 'Find anything' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

/** What a page says, line by line, apart from times and figures; of this page, or of HTML as the server sent it. */
function text(page: Page, html?: string): Promise<string[]> {
  return page.evaluate((html) => {
    const source = html === undefined ? document : new DOMParser().parseFromString(html, 'text/html');
    const body = source.body.cloneNode(true) as HTMLElement;
    body.querySelectorAll('script, style, template, noscript, time, .live-sign').forEach((part) => part.remove());
    const lines = [source.title, ''];
    const walk = (node: Node) => {
      if (node.nodeType === Node.TEXT_NODE) lines[lines.length - 1] += node.textContent;
      if (node.nodeType !== Node.ELEMENT_NODE && node !== body) return;
      const inline = /^(a|b|em|code|span|kbd|i)$/i.test((node as Element).tagName);
      if (!inline) lines.push('');
      node.childNodes.forEach(walk);
      if (!inline) lines.push('');
    };
    walk(body);
    const figures = (line: string) => line.replace(/\d+ (s|min|h|days?|ms)\b( \d+ min)?/g, '…').replace(/\d+/g, '#');
    return lines.map((line) => figures(line.replace(/\s+/g, ' ').trim())).filter((line) => line !== '');
  }, html);
}

for (const screen of screens) {
  test.describe(screen.name, () => {
    if (screen.alone) test.use({ storageState: NOBODY });

    test('loads without trouble and is alive', async ({ page, linewatch }) => {
      const path = await address(screen, (path: string) => linewatch.ask(path));
      const status = screen.status ?? 200;
      const found = troubles(page, { address: path, status });
      const answer = await page.goto(path);
      expect(answer?.status()).toBe(status);
      if (!screen.alone) await works(page);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await expect(page).toHaveTitle(/.+ · Linewatch$/);
      expect(found).toEqual([]);
      await expect(async () => {
        const server = await text(page, await (await page.request.get(path)).text());
        expect(await text(page), 'with wasm it says the same').toEqual(server);
      }).toPass({ timeout: 15_000 });
    });

    test('is whole every time, also when many ask at once', async ({ page, linewatch }) => {
      const path = await address(screen, (path: string) => linewatch.ask(path));
      const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
      const bad: string[] = [];
      let left = 80;
      const ask = async () => {
        while (left-- > 0) {
          const answer = await fetch(`${linewatch.ready.url}${path}`, { headers: { cookie, accept: 'text/html' } });
          const html = await answer.text();
          if (answer.status !== (screen.status ?? 200)) bad.push(`answered ${answer.status}`);
          else if (!/<main[^]*<h1[^]*<\/main>[^]*<\/html>/.test(html)) bad.push(`without a heading, ${html.length} characters`);
        }
      };
      await Promise.all(Array.from({ length: 10 }, ask));
      expect(bad, 'of 80 answers, ten at a time').toEqual([]);
    });

    if (screen.alone) return;

    test('can be reached by a link, and says the same as when it is loaded', async ({ page, linewatch }) => {
      const path = await address(screen, (path: string) => linewatch.ask(path));
      const found = troubles(page, { address: path, status: screen.status ?? 200 });
      const start = path === '/' ? '/settings' : '/';
      await page.goto(start);
      await alive(page);
      await page.evaluate(() => Object.assign(window, { sameDocument: true }));
      // What the server renders and what the browser renders is one and the same; it may take a moment to arrive, and the
      // world may move between the two.
      await expect(async () => {
        await follow(page, start);
        await follow(page, path);
        await expect(async () => {
          const server = await text(page, await (await page.request.get(path)).text());
          expect(await text(page)).toEqual(server);
        }).toPass({ timeout: 5_000 });
      }).toPass({ timeout: 20_000 });
      await works(page);
      expect(await page.evaluate(() => 'sameDocument' in window), 'without loading a document').toBe(true);
      expect(found).toEqual([]);
    });
  });
}

test('the way through the screens leads back', async ({ page }) => {
  await page.goto('/');
  await alive(page);
  const nav = page.getByRole('navigation', { name: 'Main' });
  for (const [name, path] of [['Connections', '/connections'], ['Webhooks', '/webhooks'], ['Settings', '/settings'], ['Overview', '/']]) {
    await nav.getByRole('link', { name: new RegExp(`^${name}`) }).click();
    await expect(page).toHaveURL(path);
    await expect(nav.getByRole('link', { name: new RegExp(`^${name}`) })).toHaveAttribute('aria-current', 'page');
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  }
  await page.goBack();
  await expect(page).toHaveURL('/settings');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/Makini account/);
  await page.goBack();
  await expect(page).toHaveURL('/webhooks');
  await page.goBack();
  await expect(page).toHaveURL('/connections');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('connections');
});
